"""Canaries: a secret and an address that must show up nowhere, and a field that must not leave its role."""

from __future__ import annotations

import json
import logging
import traceback
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.acceptance.hands import MORE, Hands
from tests.acceptance.kit import NAMES, House, dice, house
from trueup.sandbox.seed import ENVIRONMENT
from trueup.sandbox.standin import Fault
from trueup.services.syncing import plan

SECRETS = [value for name, value in ENVIRONMENT.items() if name not in ("SALESFORCE_CLIENT_ID", "ZENDESK_USER")]
PERSON = "canary.zulu@example.com"
FAULTS = ("status", "status_after", "lost_answer", "lost_request", "body", "body_after")
BODY = json.dumps({"message": f"{PERSON} is wrong", "token": SECRETS[0], "category": "VALIDATION_ERROR"}).encode()


def told(at: House) -> str:
    """All that a run leaves behind for people to read: its notes, errors, counts, failures."""
    store = at.hub.store
    runs = [f"{run.notes} {dict(run.counts)}" for run in store.runs(100)]
    failed = [f"{error} {error!r}" for report in at.reports for error in report.failed.values()]
    return "\n".join([*runs, *failed, *at.hub.notes])


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(NAMES), st.integers(1, 25), st.sampled_from(FAULTS)), max_size=8),
    st.sampled_from([400, 401, 403, 404, 409, 429, 500, 503]),
)
def test_under_any_faults_no_secret_and_no_address_is_in_a_log_or_an_error(
    tmp_path_factory: pytest.TempPathFactory, faults: list[tuple[str, int, str]], status: int
) -> None:
    """The vendors' own answers repeat both, as vendors do."""
    heard: list[str] = []
    handler = logging.Handler(logging.DEBUG)
    handler.emit = lambda record: heard.append(record.getMessage())  # type: ignore[method-assign]
    logging.getLogger().addHandler(handler)
    at = house(tmp_path_factory.mktemp("canary"))
    try:
        hands = Hands(at, dice(1))
        hands.create("marketing", PERSON, "Canary", "Zulu")
        hands.create("support", PERSON, "Canary", "Zulu")
        for name, nth, what in faults:
            at.sandbox.standins[name].faults.append(Fault("*", nth, what, status, {}, BODY))
        for _ in range(2):
            at.wait(hours=1)
            try:
                at.sync()
            except Exception:  # whatever a run ends with is shown to somebody
                heard.append(traceback.format_exc())
        said = "\n".join([told(at), *heard])
    finally:
        logging.getLogger().removeHandler(handler)
        at.close()
    assert [secret for secret in SECRETS if secret in said] == []
    assert PERSON not in said


# -- what may not leave -------------------------------------------------------------------------------------

CANARY = "ZCANARYX"


@pytest.mark.parametrize("seed", range(4))
def test_a_confined_field_is_in_no_request_to_another_role(seed: int, tmp_path: Path) -> None:
    """`secret_note` belongs to operations; whatever happens, marketing and sales are never told."""
    at = house(tmp_path)
    for wire in at.wires.values():
        wire.listen = True
    hands = Hands(at, dice(seed))
    for number in range(4):
        for name in NAMES:
            hands.create(name, f"z{number}@example.com", f"Zan{number}", "Zult")
    for _, id in hands.people("support"):
        at.support.user_edit(id, **{"user_fields.contract_number": f"{CANARY} {id}"})
    at.wait(hours=1)
    at.settle()
    at.release()
    for _ in range(15):
        hands.act(MORE)
    at.settle()
    assert at.contact("z1@example.com").values["secret_note"]
    for name in ("marketing", "sales"):
        assert [sent for sent in at.wires[name].sent if CANARY.encode() in sent] == []


def test_a_plan_of_a_confined_field_holds_no_write_of_it_elsewhere(tmp_path: Path) -> None:
    at = house(tmp_path)
    hands = Hands(at, dice(1))
    hands.create("support", "zann@example.com", "Zann", "Zult")
    ((_, id),) = hands.people("support")
    at.support.user_edit(id, **{"user_fields.contract_number": CANARY})
    at.wait(hours=1)
    plan(at.hub, out=tmp_path / "plan")
    lines = [json.loads(line) for line in (tmp_path / "plan").read_text().splitlines()]
    writes = [write for line in lines[1:-1] for write in (*line["writes"], *line["withheld"])]
    assert {write["connection"] for write in writes} == {"marketing", "sales"}
    assert CANARY not in json.dumps(writes)
