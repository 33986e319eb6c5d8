"""A list that holds tags and a consent: each is written without the other, as a list and as one text."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sync.consenting import FLAG, ann, consent_hub, later
from tests.sync.memory import Clock, Memory
from tests.sync.small_hub import SmallHub, rules
from trueup.mapping.schema import ConsentRule, FieldRule, Shape
from trueup.model.record import Json

NO_MAIL = ConsentRule("email", "marketing", "tags", Shape.ELEMENT, "no-mail", "present")
NEWSLETTER = ConsentRule("email", "marketing", "tags", Shape.ELEMENT, "newsletter", "absent")
NAMED = ("email", "first_name", "last_name")
AS_LIST, AS_TEXT = FieldRule("tags", "tags"), FieldRule("tags", "tags", transform="joined_list(;)")
BARS = FieldRule("tags", "tags", transform="joined_list(|)")


def hub_of(
    folder: Path, clock: Clock, tags: FieldRule, consent: ConsentRule, create: tuple[str, ...] = ()
) -> SmallHub:
    """`source` has a flag and a list; `target` has tags and the consent in one list, held as `tags` says."""
    systems = {"source": Memory(clock), "target": Memory(clock)}
    target = rules(fields=(*NAMED, tags), consent=(consent,))
    return consent_hub(
        folder, clock, systems, {"source": rules(consent=(FLAG,)), "target": target}, create=create
    )


@pytest.mark.parametrize(
    ("tags", "before", "after"),
    [
        (AS_LIST, ["a", "b"], ["a", "b", "no-mail"]),
        (AS_LIST, None, ["no-mail"]),
        (AS_TEXT, "a;b", "a;b;no-mail"),
        (AS_TEXT, None, "no-mail"),
        (BARS, "a|b", "a|b|no-mail"),
    ],
)
def test_an_opt_out_joins_the_list(tmp_path: Path, tags: FieldRule, before: Json, after: Json) -> None:
    clock = Clock()
    hub = hub_of(tmp_path, clock, tags, NO_MAIL)
    source, target = hub.systems.values()
    source.add(**ann(optout=False))
    target.add(**ann(tags=before))
    hub.sync()
    source.edit("1", optout=True)
    for _ in range(2):
        later(hub, clock)
    assert (target.values("1")["tags"], len(target.written)) == (after, 1)


@pytest.mark.parametrize(
    ("tags", "before", "after"),
    [(AS_LIST, ["Newsletter"], []), (AS_LIST, ["x", "NEWSLETTER "], ["x"]), (AS_TEXT, "Newsletter;x", "x")],
)
def test_an_opt_out_leaves_the_list_however_it_is_spelled(
    tmp_path: Path, tags: FieldRule, before: Json, after: Json
) -> None:
    clock = Clock()
    hub = hub_of(tmp_path, clock, tags, NEWSLETTER)
    source, target = hub.systems.values()
    source.add(**ann(optout=False))
    target.add(**ann(tags=before))
    hub.sync()
    source.edit("1", optout=True)
    for _ in range(2):
        later(hub, clock)
    assert (target.values("1")["tags"], len(target.written)) == (after, 1)


@pytest.mark.parametrize(("tags", "after"), [(AS_LIST, ["a", "b", "no-mail"]), (AS_TEXT, "a;b;no-mail")])
def test_a_new_record_gets_both(tmp_path: Path, tags: FieldRule, after: Json) -> None:
    clock = Clock()
    hub = hub_of(tmp_path, clock, tags, NO_MAIL, create=("target",))
    hub.systems["source"].add(**ann(optout=True, tags=["a", "b"]))
    hub.sync()
    assert hub.systems["target"].values("1")["tags"] == after


@pytest.mark.parametrize(
    ("tags", "before", "cleared"),
    [(AS_LIST, ["a", "no-mail"], ["no-mail"]), (AS_TEXT, "a;no-mail", "no-mail")],
)
def test_other_tags_come_and_go_beside_it(
    tmp_path: Path, tags: FieldRule, before: Json, cleared: Json
) -> None:
    clock = Clock()
    hub = hub_of(tmp_path, clock, tags, NO_MAIL)
    source, target = hub.systems.values()
    source.add(**ann(optout=True, tags=["a"]))
    target.add(**ann(tags=before))
    hub.sync()
    hub.release()
    for wanted in (["a", "b"], []):
        source.edit("1", tags=wanted)
        for _ in range(2):
            later(hub, clock)
        held = target.values("1")["tags"]
        assert "no-mail" in (held if isinstance(held, list) else held.split(";"))
    assert held == cleared


@pytest.mark.parametrize("tags", [AS_LIST, AS_TEXT, BARS], ids=["a list", "semicolons", "bars"])
@pytest.mark.parametrize("before", [None, "a", "a{sign}b"], ids=["no tag", "one", "two"])
@pytest.mark.parametrize("typed_over", [False, True])
def test_an_opt_out_that_was_lost_on_its_way_is_sent_again_until_its_element_is_there(
    tmp_path: Path, tags: FieldRule, before: str | None, typed_over: bool
) -> None:
    clock = Clock()
    hub = hub_of(tmp_path, clock, tags, NO_MAIL)
    source, target = hub.systems.values()
    source.add(**ann(optout=False))
    sign = "|" if tags is BARS else ";"
    text = before.format(sign=sign) if before else None
    target.add(**ann(tags=text.split(sign) if text and tags is AS_LIST else text))
    hub.sync()
    target._apply = lambda item, fields: None  # type: ignore[method-assign, assignment, return-value]
    target.loses = lambda item: True
    source.edit("1", optout=True)
    later(hub, clock)
    vars(target).pop("_apply")
    target.loses = lambda item: False
    if typed_over:
        target.edit("1", tags=["a"] if tags is AS_LIST else "a")
    for _ in range(3):
        later(hub, clock)
    assert "no-mail" in (target.values("1")["tags"] or "")
