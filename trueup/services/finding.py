"""Whom a person means: contacts by an address, a name, a record's id."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from trueup.errors import NotFound
from trueup.model.calling import full_name
from trueup.model.covering import covered
from trueup.model.entity import LinkState
from trueup.model.fields import PREFIX, Kind
from trueup.model.plan import Case
from trueup.services.hub import Hub


@dataclass(frozen=True, slots=True)
class Found:
    """One contact, in a line."""

    id: str
    name: str
    email: str
    stage: str
    records: tuple[str, ...]


def find(hub: Hub, text: str, limit: int, kind: Kind = Kind.CONTACT) -> list[Found]:
    """Contacts whose address, name or record ids match what a person typed."""
    return [_of(hub, id) for id in hub.parts.store.find(kind, text, limit)]


@dataclass(frozen=True, slots=True)
class Double:
    """A contact of whom nobody knows yet whether it is the same person as one of `others`."""

    contact: Found
    others: tuple[Found, ...]


def waiting(hub: Hub, limit: int) -> tuple[list[Double], int]:
    """Contacts that wait for a decision, the oldest first, at most `limit`; and how many there are."""
    pairs = hub.parts.store.doubles(Kind.CONTACT)
    found = [
        Double(_of(hub, id), tuple(_of(hub, other) for other in others))
        for id, others in list(pairs.items())[:limit]
    ]
    return found, len(pairs)


def _of(hub: Hub, id: str) -> Found:
    return _found(hub.parts.store.case(id))


def _found(case: Case) -> Found:
    values = case.entity.values
    return Found(
        case.entity.public_id,
        full_name(values),
        str(values.get("email") or ""),
        str(values.get("stage") or ""),
        tuple(sorted({link.connection for link in case.links if link.state is LinkState.LIVE})),
    )


def the_one(hub: Hub, text: str) -> Case:
    """The one contact (company, deal) that a person means: by its id, an address, a record or its id; only
    where none is exactly so, by a part of a name.

    Raises NotFound when nobody, or more than one, is meant by it.
    """
    kinds = [kind for kind, prefix in PREFIX.items() if text.casefold().startswith(f"{prefix}-")] or [
        Kind.CONTACT
    ]
    store = hub.parts.store
    ids = _of_kinds(store.named, kinds, text) or _of_kinds(store.find, kinds, text)
    if len(ids) == 1:
        return hub.parts.store.case(ids[0])
    if not ids:
        raise NotFound(f"no contact is known by `{covered(text)}`; {_where_to_look(hub)}", typed=text)
    raise NotFound(f"several contacts match: {', '.join(ids)}; name one of them", code="TU-GEN-405")


def _of_kinds(
    search: Callable[[Kind, str, int], Sequence[str]], kinds: Sequence[Kind], text: str
) -> list[str]:
    return list(dict.fromkeys(id for kind in kinds for id in search(kind, text, 6)))


def _where_to_look(hub: Hub) -> str:
    """What to do when nobody is found: before the first sync there is nobody to be found."""
    if hub.parts.store.runs(1):
        return "`trueup contacts find` searches by a part of a name"
    return "the first sync makes the contacts; until then: `trueup plan --only WHO --offline` shows one"
