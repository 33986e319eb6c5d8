"""Two sides that change one field in turn, each back to its own value: the field is set aside, both named."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from tests.demands.hubs import Setting, aside, hub_of, told, written
from tests.sync.memory import Clock, Memory
from tests.sync.small_hub import FIELDS, SmallHub, rules, small_hub
from trueup.mapping.schema import FieldRule, Refusal
from trueup.model.entity import Link
from trueup.model.fields import TABLES, Kind
from trueup.store.open import open_store
from trueup.sync.rules.policy import FieldPolicy
from trueup.sync.rules.swinging import CODE


@pytest.fixture
def clock() -> Clock:
    return Clock()


def ann(**more: object) -> dict[str, object]:
    return {"email": "ann@example.com", "first_name": "Ann", "last_name": "Lee", **more}


def ring(folder: Path, clock: Clock) -> SmallHub:
    """Two systems of equal right, in step; the store is in hub.sqlite."""
    systems = {"sales": Memory(clock), "marketing": Memory(clock)}
    hub = small_hub(folder, clock, systems, create=("sales", "marketing"))
    systems["sales"].add(**ann(job_title="CTO"))
    hub.sync()
    hub.release()
    return hub


def robot(hub: SmallHub, name: str, field: str, value: object) -> bool:
    """The robot of a system: it puts its own value back wherever it finds another. Whether it had to."""
    (id,) = hub.systems[name].living()
    if hub.systems[name].values(id).get(field) == value:
        return False
    hub.systems[name].edit(id, **{field: value})
    return True


def robots(hub: SmallHub, clock: Clock, days: int, **wants: object) -> None:
    """Day after day both robots work, one after the other, with a sync after each."""
    for _ in range(days):
        for name, value in wants.items():
            clock.tick(3600)
            robot(hub, name, "job_title", value)
            hub.sync()


def set_aside(hub: SmallHub) -> list[tuple[Link, str]]:
    return [(link, key) for link, key, why in hub.store.quarantined(None, 100) if why.code == CODE]


def test_two_robots_are_stopped_and_both_are_named(tmp_path: Path, clock: Clock) -> None:
    hub = ring(tmp_path, clock)
    robots(hub, clock, 10, marketing="Director", sales="CTO")
    before = written(hub)
    robots(hub, clock, 10, marketing="Director", sales="CTO")
    assert written(hub) == before
    reason = aside(hub)["job_title"]
    assert "sales" in reason and "marketing" in reason
    assert reason.count("authority") == 2
    assert "CTO" not in reason and "Director" not in reason


def test_only_the_field_is_set_aside_and_only_at_one_record(tmp_path: Path, clock: Clock) -> None:
    hub = ring(tmp_path, clock)
    robots(hub, clock, 10, marketing="Director", sales="CTO")
    assert len(set_aside(hub)) == 1
    hub.systems["sales"].edit("1", department="R&D")
    hub.sync()
    assert told(hub.systems["marketing"], "department") == ["R&D"]
    hub.systems["marketing"].edit("1", department="Lab")
    hub.sync()
    assert told(hub.systems["sales"], "department") == ["Lab"]


def test_the_count_survives_a_restart_and_nothing_is_kept_for_it_on_the_link(
    tmp_path: Path, clock: Clock
) -> None:
    from dataclasses import replace

    hub = ring(tmp_path, clock)
    for _ in range(10):
        robots(hub, clock, 1, marketing="Director", sales="CTO")
        case = hub.store.case(hub.store.find(Kind.CONTACT, "ann@example.com", 1)[0])
        if not set_aside(hub):
            assert all(not (link.agreed or link.quarantine or link.published) for link in case.links)
        hub.store.close()
        hub.store = open_store(f"sqlite:///{tmp_path / 'hub.sqlite'}")
        hub.parts = replace(hub.parts, store=hub.store)
    assert len(set_aside(hub)) == 1


def one_decides(folder: Path, clock: Clock, refused: Refusal = Refusal.WRITE_BACK) -> SmallHub:
    """Sales alone decides the title; edits of marketing are refused."""
    names = tuple(name for name in FIELDS if name != "job_title")
    objects = [
        (name, rules(fields=(*names, FieldRule("job_title", "job_title", refused=refused))))
        for name in ("sales", "marketing")
    ]

    def judged(kind: Kind, name: str) -> FieldPolicy:
        may = ("sales",) if name == "job_title" else ("sales", "marketing")
        return FieldPolicy(TABLES[kind][name].strategy, lambda stage: may)

    systems = {"sales": Memory(clock), "marketing": Memory(clock)}
    hub = hub_of(folder, clock, systems, Setting(objects, create=("sales", "marketing"), judged=judged))
    systems["sales"].add(**ann(job_title="CTO"))
    hub.sync()
    hub.release()
    return hub


def test_a_robot_against_a_write_back_is_left_in_peace_at_its_fourth_try(
    tmp_path: Path, clock: Clock
) -> None:
    hub = one_decides(tmp_path, clock)
    tries = []
    for _ in range(6):
        clock.tick(3600)
        tries.append(robot(hub, "marketing", "job_title", "Director"))
        hub.sync()
    assert tries == [True, True, True, True, False, False]
    assert told(hub.systems["marketing"], "job_title") == ["Director"]
    assert told(hub.systems["sales"], "job_title") == ["CTO"]
    assert "not an authority" in aside(hub)["job_title"]


def test_a_refused_edit_that_is_left_there_fights_nobody(tmp_path: Path, clock: Clock) -> None:
    hub = one_decides(tmp_path, clock, Refusal.LEAVE)
    for _ in range(6):
        for title in ("Director", "CTO"):
            clock.tick(3600)
            robot(hub, "marketing", "job_title", title)
            hub.sync()
    assert aside(hub) == {}


@pytest.mark.parametrize(
    "edits", [["marketing"] * 12, ["marketing", "sales"] * 2, ["marketing", "sales"] * 3]
)
def test_people_who_edit_there_and_back_are_no_robots(edits: list[str], tmp_path: Path, clock: Clock) -> None:
    hub = ring(tmp_path, clock)
    for number, name in enumerate(edits):
        clock.tick(3600)
        robot(hub, name, "job_title", "CTO" if number % 2 else "Director")
        hub.sync()
    assert aside(hub) == {}
    assert told(hub.systems["sales"], "job_title") == told(hub.systems["marketing"], "job_title")


def test_what_recurs_once_a_month_is_no_fight(tmp_path: Path, clock: Clock) -> None:
    hub = ring(tmp_path, clock)
    for _ in range(6):
        robots(hub, clock, 1, marketing="Winter", sales="Summer")
        clock.tick(timedelta(days=31).total_seconds())
    assert aside(hub) == {}


def give_back(hub: SmallHub) -> int:
    places = [(link.id, key) for link, key in set_aside(hub)]
    return hub.store.give_back(places, "ops", hub.parts.now())


def test_given_back_the_edit_that_waited_is_judged_and_the_count_begins_anew(
    tmp_path: Path, clock: Clock
) -> None:
    hub = ring(tmp_path, clock)
    robots(hub, clock, 10, marketing="Director", sales="CTO")
    ((link, _),) = set_aside(hub)
    waited = hub.systems[link.connection].values("1")["job_title"]
    assert give_back(hub) == 1
    hub.sync()
    assert hub.contact("ann@example.com")["job_title"] == waited
    assert aside(hub) == {}
    robots(hub, clock, 2, marketing="Director", sales="CTO")
    assert aside(hub) == {}
    robots(hub, clock, 8, marketing="Director", sales="CTO")
    assert len(set_aside(hub)) == 1


def test_a_third_value_there_is_an_edit_like_any_other(tmp_path: Path, clock: Clock) -> None:
    hub = ring(tmp_path, clock)
    robots(hub, clock, 10, marketing="Director", sales="CTO")
    ((link, _),) = set_aside(hub)
    hub.systems[link.connection].edit("1", job_title="Owner")
    hub.sync()
    assert [told(system, "job_title") for system in hub.systems.values()] == [["Owner"], ["Owner"]]
    assert aside(hub) == {}


def test_a_third_value_of_the_hub_goes_there(tmp_path: Path, clock: Clock) -> None:
    hub = ring(tmp_path, clock)
    robots(hub, clock, 10, marketing="Director", sales="CTO")
    id = hub.store.find(Kind.CONTACT, "ann@example.com", 1)[0]
    hub.store.edit(id, {"job_title": "Owner"}, "ops", clock.now(), False)
    hub.sync()
    assert [told(system, "job_title") for system in hub.systems.values()] == [["Owner"], ["Owner"]]


def test_robots_that_fight_over_a_tag_are_stopped_too(tmp_path: Path, clock: Clock) -> None:
    hub = ring(tmp_path, clock)
    for _ in range(20):
        for name, tags in (("marketing", ["vip"]), ("sales", [])):
            clock.tick(3600)
            robot(hub, name, "tags", tags)
            hub.sync()
    assert list(aside(hub)) == ["tags"]


def test_an_opt_out_is_defended_for_ever(tmp_path: Path, clock: Clock) -> None:
    from dataclasses import replace as changed

    from tests.demands.hubs import OPT_OUT

    objects = [(name, changed(rules(), consent=(OPT_OUT,))) for name in ("sales", "marketing")]
    systems = {"sales": Memory(clock), "marketing": Memory(clock)}
    hub = hub_of(tmp_path, clock, systems, Setting(objects, create=("sales", "marketing")))
    systems["sales"].add(**ann(no_mail=True))
    hub.sync()
    hub.release()
    for _ in range(12):
        clock.tick(3600)
        robot(hub, "marketing", "no_mail", False)
        hub.sync()
        assert told(systems["marketing"], "no_mail") == [True]
    assert aside(hub) == {}
