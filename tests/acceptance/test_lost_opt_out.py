"""An opt-out whose way to Zendesk fails: it is one tag among others there, and counts when that tag shows."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.acceptance.hands import Hands
from tests.acceptance.kit import dice, house
from tests.acceptance.verdicts import mailable
from trueup.sandbox.standin import Fault

MISFORTUNES = (
    Fault("users.add_tags", 1, "body", body=b"<html>down for maintenance</html>"),
    Fault("users.add_tags", 1, "body_after", body=b'{"half": [1, '),
    Fault("users.add_tags", 1, "lost_request"),
    Fault("users.add_tags", 1, "lost_answer"),
    Fault("users.add_tags", 1, "status", 500),
)


@pytest.mark.parametrize("fault", MISFORTUNES, ids=lambda fault: fault.what)
def test_an_opt_out_of_which_nobody_knows_whether_it_arrived_is_sent_until_it_shows(
    fault: Fault, tmp_path: Path
) -> None:
    at = house(tmp_path)
    hands = Hands(at, dice(1))
    for name in ("sales", "support"):
        hands.create(name, "zann@example.com", "Zann", "Zle")
    at.wait(hours=1)
    at.settle()
    at.release()
    at.settle()
    (sold,) = hands.people("sales")
    (user,) = hands.people("support")
    hands.opt_out("sales", *sold)
    at.support.faults.append(fault)
    at.wait(hours=1)
    at.settle()
    assert not mailable(at, "support", *user)
