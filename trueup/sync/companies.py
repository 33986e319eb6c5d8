"""Companies that contacts name: who bears the name or holds the domain, and those that are made of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from trueup.dedupe.normalise import company_key, domain_key
from trueup.model.entity import Entity, Link, LinkState, Source, public_id
from trueup.model.fields import Kind
from trueup.model.plan import Case, Founding, Plan
from trueup.model.run import Fence
from trueup.sync.parts import Parts
from trueup.sync.rules.founding import makes_companies

Key = tuple[str, str]

NAMED = ("company_name", "company.name")


def said(parts: Parts, case: Case, fields: tuple[str, ...]) -> Iterator[str]:
    """What a contact, its records and its edits say in these fields, before anything is decided."""
    yield from (text for name in fields if (text := case.entity.values.get(name)))
    for link in case.links:
        for binding in parts.policy.saying(link.stream, fields):
            read = binding.read(link.observed.get(binding.remote))
            told = read.values() if isinstance(read, Mapping) else ()
            yield from (text for text in told if isinstance(text, str) and text)
    yield from (edit.value for edit in case.edits if edit.field in fields and isinstance(edit.value, str))


def holders(
    parts: Parts, cases: Sequence[Case], unstored: Mapping[Key, set[str]]
) -> dict[Key, frozenset[str]]:
    """Public ids of companies by the names and domains that these contacts may belong to; asked only where
    companies are made of them. `unstored`: companies that only a preview knows."""
    if not makes_companies(parts.policy):
        return {}
    contacts = [case for case in cases if case.entity.kind is Kind.CONTACT]
    names = {("name", company_key(name)) for case in contacts for name in said(parts, case, NAMED)}
    domains = {("domain", domain_key(mail)) for case in contacts for mail in said(parts, case, ("email",))}
    keys = sorted((kind, key) for kind, key in names | domains if key)
    found = parts.store.candidates(Kind.COMPANY, keys) if keys else {}
    return {
        key: frozenset(public_id(Kind.COMPANY, one.entity_id) for one in found.get(key, ()))
        | unstored.get(key, set())
        for key in keys
    }


def found(parts: Parts, plans: Sequence[Plan], run_id: int, fence: Fence | None) -> frozenset[int]:
    """Make the companies that these decisions ask for. Who waits for a new one: decided again after it, so
    that the company is written first."""
    asked = [one for plan in plans for one in plan.foundings]
    return frozenset(parts.store.found(asked, run_id, parts.now(), fence)) if asked else frozenset()


def foreseen(founding: Founding, number: int, parts: Parts) -> Case:
    """The company as a preview knows it: an entity of this number with a record that is still to be made."""
    source = Source("rule", "first", parts.now(), ref=founding.named_by)
    entity = Entity(number, Kind.COMPANY, 0, founding.values, dict.fromkeys(founding.values, source))
    wanted = Link(
        0, founding.connection, founding.object, None, number, Kind.COMPANY, LinkState.WANTED, entered=True
    )
    return Case(entity, (wanted,))
