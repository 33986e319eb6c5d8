"""`runs show --csv`: all that a run holds back, as a table for a spreadsheet."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from trueup.commands.plan_table import check_table, listed_line, rows_of_write, write_rows
from trueup.model.calling import full_name
from trueup.model.delivery import DeliveryState
from trueup.model.entity import public_id
from trueup.services.planfile import write_document

if TYPE_CHECKING:
    from trueup.services.hub import Hub


def table_lines(hub: Hub, run_id: int, table: Path) -> list[str]:
    """Write the table, and say what it lists. Raises NotOurs when it would go over a file of others."""
    check_table(table)
    return ["", listed_line(write_rows(table, _rows(hub, run_id)), table)]


def _rows(hub: Hub, run_id: int) -> Iterator[tuple[str, ...]]:
    store = hub.parts.store
    every = sum(store.gated(run_id).values())
    for one in store.deliveries([DeliveryState.GATED], None, every, run_id) if every else ():
        case = store.case(public_id(one.link.kind, one.entity_id))
        values = case.entity.values
        who = {
            "entity": case.entity.public_id,
            "name": full_name(values),
            "email": values.get("email") or "",
        }
        yield from rows_of_write(who, write_document(one.write, case), "held")
