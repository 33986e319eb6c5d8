"""What a configuration costs in calls is said before it is paid."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.config.hubs import change, example_hub, loaded
from tests.config.known_systems import SYSTEMS
from trueup.config.budget import BudgetLine, budget_lines


def _line(hub: Path, connection: str = "sales") -> BudgetLine:
    return next(line for line in budget_lines(loaded(hub), SYSTEMS) if line.connection == connection)


def test_at_rest_every_poll_of_every_object_is_one_call(tmp_path: Path) -> None:
    line = _line(example_hub(tmp_path))
    assert line.at_rest == 288 * 4  # every five minutes: Lead, Contact, Account, Opportunity


def test_the_share_is_of_the_smaller_limit(tmp_path: Path) -> None:
    line = _line(example_hub(tmp_path))
    assert (line.limit, line.warns) == (40_000, False)
    assert str(line) == "sales: 1,152 calls a day at rest, 3,152 at 1,000 changes a day: 8% of 40,000"


def test_more_than_half_of_the_limit_warns(tmp_path: Path) -> None:
    hub = example_hub(tmp_path)
    change(hub, "connections/sales.yaml", "calls_per_day: 40000", "calls_per_day: 4000")
    assert "poll less often" in str(_line(hub))


@pytest.mark.parametrize(
    ("cron", "polls"), [("0 3 * * *", 1), ("*/15 8-19 * * 1-5", 48), ("0,30 * * * *", 48)]
)
def test_a_cron_expression_is_counted_for_its_busiest_day(tmp_path: Path, cron: str, polls: int) -> None:
    hub = example_hub(tmp_path)
    change(hub, "connections/sales.yaml", "schedule: {every: 5m}", f'schedule: {{cron: "{cron}"}}')
    assert _line(hub).at_rest == polls * 4


def test_tables_and_files_are_not_counted(tmp_path: Path) -> None:
    lines = budget_lines(loaded(example_hub(tmp_path)), SYSTEMS)
    assert [line.connection for line in lines] == ["marketing", "sales", "support"]
