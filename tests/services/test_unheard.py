"""Words of consent that no line names: what it costs to find them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from trueup.connectors.base import Connector
from trueup.model.record import Cursor, Page, Reading
from trueup.services.hub import open_hub
from trueup.services.unheard import unheard

NEWS = """\
connector: csv
role: marketing
options: {path: "../news.csv"}
objects:
  contacts:
    entity: contact
    key: id
    fields: {email: mail}
    consent:
      email.marketing: {field: news, opted_out: "no"}
      sms.marketing: {field: texts, opted_out: stop}
"""
TABLE = "id;mail;news;texts\n1;a@example.com;no;stop\n2;b@example.com;never;basta\n"


@dataclass
class Watched:
    """A connector that notes from where on it was asked to list, and for which fields."""

    connector: Connector
    listings: list[tuple[Cursor | None, tuple[str, ...]]] = field(default_factory=list)

    def pull(self, object: str, reading: Reading, cursor: Cursor | None, fields: Sequence[str]) -> Page:
        self.listings.append((cursor, tuple(fields)))
        return self.connector.pull(object, reading, cursor, fields)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.connector, name)


def test_a_table_is_read_once_for_all_its_columns_of_consent(tmp_path: Path) -> None:
    folder = tmp_path / "config"
    (folder / "connections").mkdir(parents=True)
    (tmp_path / "news.csv").write_text(TABLE, "utf-8")
    (folder / "hub.yaml").write_text("name: acme\n", "utf-8")
    (folder / "connections/news.yaml").write_text(NEWS, "utf-8")
    with open_hub(folder, {}) as hub:
        watched = Watched(hub.parts.connectors["news"])
        found = list(unheard(hub.config, {"news": cast(Connector, watched)}))
    assert [(one.column, dict(one.others)) for one in found] == [
        ("news", {"never": 1}),
        ("texts", {"basta": 1}),
    ]
    assert [fields for cursor, fields in watched.listings if cursor is None] == [("news", "texts")]
