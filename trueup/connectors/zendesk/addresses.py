"""A user's e-mail addresses, changed one by one (vendor sheet 4: identities and `make_primary`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from trueup.connectors.base import Elements, NotApplied, Outcome, RefusedItem, WriteItem
from trueup.connectors.http import Call
from trueup.connectors.records import text_id
from trueup.connectors.session import Session
from trueup.connectors.verdict import Effect
from trueup.errors import Gone, Malformed, OutcomeUnknown
from trueup.model.record import Json


@dataclass(frozen=True, slots=True)
class Address:
    id: str
    value: str
    primary: bool


def change_addresses(session: Session, item: WriteItem) -> Outcome | None:
    """Makes `email` the primary address and `identities.email` the addresses; None when that is so.

    The address that was primary stays as a further one unless it is taken away by name. What is there
    already is not written again, so a repeated call does no harm.
    """
    held = _held(session, item)
    primary = item.values.get("email")
    if "email" in item.values and not primary:
        reason = "the primary address cannot be emptied there"
        return RefusedItem(reason, {"email": reason})
    if primary and (problem := _make_primary(session, item, held, str(primary))):
        return problem
    if "identities.email" not in item.values:
        return None
    if primary:
        held = _held(session, item)
    return _change_others(session, item, held)


def _held(session: Session, item: WriteItem) -> dict[str, Address]:
    """The user's addresses, by lower-cased address."""
    call = Call("GET", f"/users/{item.id}/identities", "users.identities", query={"page[size]": 100})
    body = session.http.send(call).body
    rows = body.get("identities") if isinstance(body, Mapping) else None
    if not isinstance(rows, list):
        raise Malformed("no addresses in the answer", connection=session.settings.name)
    emails = [_address(row) for row in rows if isinstance(row, Mapping) and row.get("type") == "email"]
    return {address.value.casefold(): address for address in emails}


def _address(row: Mapping[str, Any]) -> Address:
    return Address(text_id(row.get("id")), str(row.get("value") or ""), bool(row.get("primary")))


def _make_primary(
    session: Session, item: WriteItem, held: Mapping[str, Address], wanted: str
) -> Outcome | None:
    address = held.get(wanted.casefold()) or _add(session, item, wanted)
    if address.primary:
        return None
    url = f"/users/{item.id}/identities/{address.id}/make_primary"
    try:
        session.http.send(Call("PUT", url, "users.make_primary", Effect.WRITE, body={}))
    except Gone:  # the address went meanwhile, not the user
        return NotApplied("the address moved while it was made the primary one")
    return None


def _add(session: Session, item: WriteItem, value: str) -> Address:
    """Nobody is mailed because of us."""
    body = {"identity": {"type": "email", "value": value, "skip_verify_email": True}}
    call = Call("POST", f"/users/{item.id}/identities", "users.add_address", Effect.WRITE, body=body)
    answer = session.http.send(call).body
    row = answer.get("identity") if isinstance(answer, Mapping) else None
    if not isinstance(row, Mapping):
        raise OutcomeUnknown("no address in the answer", connection=session.settings.name)
    return _address(row)


def _change_others(session: Session, item: WriteItem, held: Mapping[str, Address]) -> Outcome | None:
    add, remove = _difference(item.values["identities.email"], held)
    kept = [held[value.casefold()] for value in remove if value.casefold() in held]
    if any(address.primary for address in kept):
        reason = "the primary address cannot be taken away there before another one is primary"
        return RefusedItem(reason, {"identities.email": reason})
    for value in add:
        if value.casefold() not in held:
            _add(session, item, value)
    for address in kept:
        _remove(session, item, address)
    return None


def _difference(wanted: Json, held: Mapping[str, Address]) -> tuple[Sequence[str], Sequence[str]]:
    """What to add and to remove, from single elements or from the whole list."""
    if isinstance(wanted, Elements):
        return [str(one) for one in wanted.add], [str(one) for one in wanted.remove]
    whole = {str(one).casefold(): str(one) for one in wanted or []}
    gone = [address.value for key, address in held.items() if key not in whole]
    return list(whole.values()), gone


def _remove(session: Session, item: WriteItem, address: Address) -> None:
    url = f"/users/{item.id}/identities/{address.id}"
    try:
        session.http.send(Call("DELETE", url, "users.remove_address", Effect.WRITE))
    except Gone:
        return  # it is not there any more, as it should be
