"""Canaries: a secret and an address that must show up nowhere, and a field that must not leave its role."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.hands import MORE, Hands
from tests.acceptance.kit import NAMES, House, dice, house
from trueup.commands.synced import answer
from trueup.model.delivery import DeliveryState
from trueup.sandbox.seed import ENVIRONMENT
from trueup.sandbox.standin import Fault
from trueup.services.syncing import Sync, plan, sync

SECRETS = [
    value for name, value in ENVIRONMENT.items() if name not in ("SALESFORCE_CLIENT_ID", "ZENDESK_USER")
]
PERSON = "canary.zulu@example.com"


def repeated(secret: str) -> bytes:
    """A vendor's complaint that repeats the address and the secret, as vendors do."""
    words = f"{PERSON} may not be used with {secret}"
    complaint = {
        "message": words,
        "category": "VALIDATION_ERROR",
        "description": words,
        "errorCode": "INVALID",
    }
    return json.dumps(complaint).encode()


OWN = {"marketing": "HUBSPOT_TOKEN", "sales": "SALESFORCE_CLIENT_SECRET", "support": "ZENDESK_TOKEN"}


def told(at: House) -> str:
    """All that is left behind for people to read: notes, errors, counts, failures, fields set aside."""
    runs = [f"{run.notes} {dict(run.counts)}" for run in at.hub.store.runs(100)]
    errors = [f"{error} {error!r} {vars(error)}" for report in at.reports for error in report.failed.values()]
    failed = [f"{one.error} {one.code}" for one in at.hub.store.deliveries(list(DeliveryState), None, 500)]
    aside = [why.reason for _, _, why in at.hub.store.quarantined(None, 500)]
    return "\n".join([*runs, *errors, *failed, *aside, *at.hub.notes])


@pytest.fixture
def heard() -> Iterator[list[str]]:
    """Every line that anything logs."""
    lines: list[str] = []
    handler = logging.Handler(logging.DEBUG)
    handler.emit = lambda record: lines.append(record.getMessage())  # type: ignore[method-assign]
    logger = logging.getLogger()
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    yield lines
    logger.removeHandler(handler)
    logger.setLevel(before)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422, 429, 500])
@pytest.mark.parametrize("what", ["status", "status_after", "body"])
def test_under_faults_no_secret_and_no_address_is_in_a_log_or_an_error(
    what: str, status: int, heard: list[str], tmp_path: Path
) -> None:
    at = house(tmp_path)
    hands = Hands(at, dice(status))
    hands.create("marketing", PERSON, "Canary", "Zulu")
    hands.create("support", PERSON, "Canary", "Zulu")
    for name, standin in at.sandbox.standins.items():
        after, body = standin.ledger.calls(), repeated(ENVIRONMENT[OWN[name]])
        standin.faults = [Fault("*", after + nth, what, status, {}, body) for nth in range(2, 40, 3)]
    for _ in range(4):
        at.wait(hours=1)
        at.sync()
    said = told(at)
    assert len(said) > 50, "nothing was complained about, so nothing is proven"
    for text in (said, "\n".join(heard)):
        assert [secret for secret in SECRETS if secret in text] == []
        assert PERSON not in text


def test_what_sync_prints_as_json_names_nobody(tmp_path: Path) -> None:
    """Numbers, ids and reasons; samples of values are what `plan` is for."""
    at = house(tmp_path)
    hands = Hands(at, dice(1))
    hands.create("marketing", PERSON, "Canary", "Zulu")
    at.wait(hours=1)
    done = sync(at.hub, Sync("ann", approve_first=True))
    document = json.dumps(answer(at.hub, done, None).document, default=str)
    assert '"creates": 1' in document
    assert PERSON not in document
    assert [secret for secret in SECRETS if secret in document] == []


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
