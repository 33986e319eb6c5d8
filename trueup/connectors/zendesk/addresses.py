"""A user's e-mail addresses, changed one by one (vendor sheet 4: identities and `make_primary`).

`identities.email` is a list of `{id, value, primary}`; in a write the items of `add` need a `value` only, and
those of `remove` an `id` where it is known.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from trueup.connectors.base import Elements, NotApplied, Outcome, RefusedItem, WriteItem
from trueup.connectors.http import Call
from trueup.connectors.records import text_id
from trueup.connectors.session import Session
from trueup.connectors.verdict import Effect
from trueup.errors import Gone, Malformed, OutcomeUnknown, Refused
from trueup.model.record import Json

PATH = "identities.email"


@dataclass(frozen=True, slots=True)
class Address:
    id: str
    value: str
    primary: bool


def change_addresses(session: Session, item: WriteItem) -> Outcome | None:
    """Makes `email` the primary address and `identities.email` the addresses; None when that is so.

    The address that was primary stays as a further one unless it is taken away by name. What is there
    already is not written again, so a repeated call does no harm. The ids that were read with the record are
    used; the vendor is asked for them where one is missing or out of date.
    """
    if "email" in item.values and not item.values["email"]:
        reason = "the primary address cannot be emptied there"
        return RefusedItem(reason, {"email": reason})
    known = _known(item)
    if _suffices(item, known):
        try:
            return _change(session, item, known)
        except (Refused, Gone):  # out of date
            pass
    held = _held(session, item)
    try:
        return _change(session, item, held)
    except Gone:  # the user was there just now
        return NotApplied("an address moved while it was changed")


def _known(item: WriteItem) -> dict[str, Address]:
    """The addresses as they were read. Our own write may have made another one primary since: where
    one is to be made so, none is taken for it."""
    known = _by_key(_listed(item.known.get(PATH)))
    if "email" not in item.values:
        return known
    return {key: replace(one, primary=False) for key, one in known.items()}


def _suffices(item: WriteItem, known: Mapping[str, Address]) -> bool:
    """Whether all that is to be changed was read with its id, and nothing takes the primary address away."""
    if not known or any(not address.id for address in known.values()):
        return False
    if PATH not in item.values:
        return True
    gone = [known.get(key) for key in _difference(item.values[PATH], known)[1]]
    return all(address is not None and not address.primary for address in gone)


def _change(session: Session, item: WriteItem, held: dict[str, Address]) -> Outcome | None:
    primary = item.values.get("email")
    if primary:
        _make_primary(session, item, held, str(primary))
    return _change_others(session, item, held) if PATH in item.values else None


def values_of(listed: Json) -> list[str]:
    """The addresses of such a list."""
    return [address.value for address in _listed(listed)]


def _held(session: Session, item: WriteItem) -> dict[str, Address]:
    """The user's addresses as they are now, by lower-cased address."""
    call = Call("GET", f"/users/{item.id}/identities", "users.identities", query={"page[size]": 100})
    body = session.http.send(call).body
    rows = body.get("identities") if isinstance(body, Mapping) else None
    if not isinstance(rows, list):
        raise Malformed("no addresses in the answer", connection=session.settings.name)
    return _by_key(_address(row) for row in rows if isinstance(row, Mapping) and row.get("type") == "email")


def _by_key(addresses: Iterable[Address]) -> dict[str, Address]:
    return {address.value.casefold(): address for address in addresses}


def _listed(listed: Json) -> list[Address]:
    return [_address(one) for one in listed or [] if isinstance(one, Mapping)]


def _address(row: Mapping[str, Any]) -> Address:
    id = row.get("id")
    return Address("" if id is None else text_id(id), str(row.get("value") or ""), bool(row.get("primary")))


def _make_primary(session: Session, item: WriteItem, held: dict[str, Address], wanted: str) -> None:
    """The address as the primary one, in `held` too. Raises Gone when it moved."""
    key = wanted.casefold()
    address = held.get(key) or _add(session, item, wanted)
    if not address.primary:
        url = f"/users/{item.id}/identities/{address.id}/make_primary"
        session.http.send(Call("PUT", url, "users.make_primary", Effect.WRITE, body={}))
    held.update({other: replace(one, primary=False) for other, one in held.items()})
    held[key] = replace(address, primary=True)


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
    add, remove = _difference(item.values[PATH], held)
    kept = [held[key] for key in remove if key in held]
    if any(address.primary for address in kept):
        reason = "the primary address cannot be taken away there before another one is primary"
        return RefusedItem(reason, {PATH: reason})
    for value in add:
        if value.casefold() not in held:
            _add(session, item, value)
    for address in kept:
        _remove(session, item, address)
    return None


def _difference(wanted: Json, held: Mapping[str, Address]) -> tuple[Sequence[str], Sequence[str]]:
    """The addresses to add, and the lower-cased ones to remove, from single items or from the whole list."""
    if isinstance(wanted, Elements):
        return values_of(wanted.add), [value.casefold() for value in values_of(wanted.remove)]
    whole = _by_key(_listed(wanted))
    return [address.value for address in whole.values()], [key for key in held if key not in whole]


def _remove(session: Session, item: WriteItem, address: Address) -> None:
    """Raises Gone when it moved: it may be there under another id."""
    url = f"/users/{item.id}/identities/{address.id}"
    session.http.send(Call("DELETE", url, "users.remove_address", Effect.WRITE))
