"""What makes a decision the one that a saved plan holds."""

from __future__ import annotations

from trueup.model.delivery import Lane, Write, WriteKind
from trueup.model.entity import Entity, Link
from trueup.model.fields import Kind
from trueup.model.plan import Case, Plan
from trueup.model.record import Json
from trueup.services.planfile import digests


def said(record: str | None, values: dict[str, Json], kind: WriteKind = WriteKind.UPDATE) -> tuple[str, ...]:
    link = Link(7, "crm", "people", record, 1, Kind.CONTACT)
    entity = Entity(1, Kind.CONTACT, 1, {}, {})
    write = Write(7 if record else 0, "crm", "people", kind, Lane.NORMAL, values)
    return digests(Case(entity, (link,)), Plan(entity, entity, writes=(write,)))


def test_the_same_write_to_another_record_is_not_the_planned_one() -> None:
    assert said("1", {"title": "CTO"}) == said("1", {"title": "CTO"})
    assert said("1", {"title": "CTO"}) != said("2", {"title": "CTO"})
    assert said("1", {"title": "CTO"}) != said("1", {"title": "CEO"})
    assert said(None, {"title": "CTO"}, WriteKind.CREATE) != said("1", {"title": "CTO"})
