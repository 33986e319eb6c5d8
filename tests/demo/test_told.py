"""The line that tells what a run did: its numbers add up."""

from __future__ import annotations

import pytest

from trueup.commands.demo_told import done_line
from trueup.sync.tally import Tally

LEAD = ("sales", "Lead")


def told(**numbers: int) -> str:
    tally = Tally()
    for what, number in numbers.items():
        tally.add(LEAD, what, number)
    return done_line(tally)


@pytest.mark.parametrize(
    ("numbers", "says"),
    [
        (
            {"creates": 4, "updates": 6, "opt_outs": 1, "done": 7, "failed": 1},
            "10 pending writes (4 creates, 6 updates; in them 1 opt-out): 7 done; 1 refused by their system; "
            "2 not sent: held back, or replaced by a newer decision.",
        ),
        ({"updates": 2, "done": 2}, "2 pending writes (2 updates): 2 done."),
        ({"updates": 2, "done": 70}, "2 pending writes (2 updates) and 68 decided before: 70 done."),
        ({"done": 105}, "105 pending writes done."),
    ],
)
def test_creates_and_updates_are_the_sum_of_what_was_done_refused_and_not_sent(
    numbers: dict[str, int], says: str
) -> None:
    assert told(**numbers) == says
