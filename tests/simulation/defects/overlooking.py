"""Mistakes that leave something undone, or do more than was asked: nothing contradicts itself afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from tests.simulation.defects.base import always, defect, instead
from trueup.connectors import writing
from trueup.mapping.compiled import remote_path
from trueup.mapping.elements import is_change
from trueup.model.entity import WAS_ABSENT, LinkState
from trueup.model.record import Record
from trueup.store import land, settle, streams
from trueup.sync import doubts, payload, settling
from trueup.sync.rules import (
    acknowledge,
    decide_values,
    differences,
    evidence,
    formats,
    lanes,
    observe,
    reconcile,
    unmapped,
)


def _two_are_enough(original: Any, stream: Any, after: Any, links: Any, standing: Any, *rest: Any) -> Any:
    return ([], []) if len(standing) >= 2 else original(stream, after, links, standing, *rest)


def _stage_at_first_sight(original: Any, reading: Any, table: Any) -> Iterator[Any]:
    return (claim for claim in original(reading, table) if claim.first or claim.field != "stage")


def _louder(original: Any, parts: Any, stream: Any, delivery: Any) -> Any:
    """Another value leaves than was intended."""
    item = original(parts, stream, delivery)
    said = {
        name: f"{value}!" if isinstance(value, str) and not is_change(value) else value
        for name, value in item.values.items()
    }
    return replace(item, values=said)


def _gates_are_shut(original: Any, tx: Any) -> Any:
    """Where a stranger was read nothing is made, and nobody comes back to it."""
    return {stream: True for stream, open in original(tx).items() if open}


def _made_beside(original: Any, stream: Any, after: Any, links: Any, standing: Any, *rest: Any) -> Any:
    """Whoever has one living record in a system gets a second one there."""
    here = [one for one in standing if one.connection == stream[0] and one.state is LinkState.LIVE]
    if len(here) == 1 and len(standing) > 1:
        standing = [one for one in standing if one is not here[0]]
    return original(stream, after, links, standing, *rest)


def _as_it_stands(_: Any, key: str, write: Any, link: Any) -> Any:
    """What stands there is agreed, though nobody could read it."""
    return link.observed.get(remote_path(key, write.values), WAS_ABSENT)


def _assumed_too(original: Any, parts: Any, stream: Any, delivery: Any) -> Any:
    """What we wrote and nobody has seen yet counts as read."""
    found = original(parts, stream, delivery)
    if found is None:
        return None
    held = parts.store.known(*stream, [found.id])[found.id]
    return Record(found.id, held.observed, found.version, found.changed_at)


def _as_made(original: Any, settled: Any, *rest: Any) -> Any:
    """Whatever a new record shows in a field that is known for any form is agreed."""
    return settled


def _where_something_is_held(original: Any, *args: Any) -> Iterator[Any]:
    return (one for one in original(*args) if one.kept is not None)


OVERLOOKING = (
    defect(
        "elements that were read on the way and written over are lost",
        20210216,
        "no lost element",
        (settle, "_gained", always(False)),
    ),
    defect(
        "what nobody has seen yet counts as read",
        "written-again-before-its-create-was-found",
        "winners are people",
        (doubts, "_among_landed", instead(_assumed_too)),
    ),
    defect(
        "any form in a new record leaves no trace",
        "rewritten-while-its-create-was-in-doubt",
        "no lost update, no resurrection, convergence",
        (acknowledge, "_made_odd", instead(_as_made)),
    ),
    defect(
        "what was shown in other words and put back never arrived",
        "shown-in-other-words-and-emptied-before-the-doubt-was-looked-at",
        "no resurrection",
        (acknowledge, "_was_read", always(False)),
    ),
    defect(
        "what was cut beside a field that was put back is an edit",
        "cut-beside-a-field-that-was-put-back",
        "winners are people",
        (acknowledge, "_was_cut", always(False)),
    ),
    defect(
        "half a name loses unheard against a half that was taken away",
        "half-a-name-beside-one-that-was-pinned-empty",
        "no lost update",
        (decide_values, "set_aside", instead(_where_something_is_held)),
    ),
    defect(
        "what came as a list for a while moved",
        "a-list-of-one-before-its-form-was-judged",
        "winners are people",
        (observe, "_of_another_type", always(False)),
    ),
    defect(
        "what a person gave up is agreed as it stands",
        "given-up-while-nobody-could-read-it",
        "hub edits hold",
        (lanes, "_judged", instead(_as_it_stands)),
    ),
    defect(
        "what nobody judged before it was left out of the mapping is forgotten",
        136,
        "no lost update, winners are people",
        (unmapped, "kept", always({})),
    ),
    defect(
        "what is mapped again is not listed anew",
        176,
        "no lost update, no lost element",
        (land, "_read_for_fewer", always(None)),
    ),
    defect(
        "what our write took the place of is forgotten",
        "read-and-written-over-while-the-write-was-on-its-way",
        "no lost update",
        (settle, "_with_unheard", instead(lambda _, link, one: one)),
    ),
    defect(
        "a refusal that cannot be looked into is believed",
        "refused-and-done-and-not-to-be-read-then",
        "winners are people",
        (settling, "_not_known", instead(lambda _, outcome: outcome)),
    ),
    defect(
        "a refusal is believed where what is new shows late",
        "made-after-one-that-was-called-bad-and-shows-late",
        "no duplicate, no resurrection, no lost update",
        (settling, "_may_be_made", always(False)),
    ),
    defect(
        "whoever was decided beside a stranger is not decided again",
        "a-hint-between-who-is-who-and-what-is-decided",
        "nobody is left out",
        (streams, "gates_open", instead(_gates_are_shut)),
    ),
    defect(
        "what was refused was not done",
        "refused-and-made-nevertheless",
        "no duplicate",
        (writing, "doubtful", always({})),
    ),
    defect(
        "what is of another type is a form",
        "of-another-type-right-after-our-write",
        "winners are people",
        (formats, "_of_another_type", always(False)),
    ),
    defect(
        "who has two records is made in no third",
        3,
        "nobody is left out",
        (reconcile, "create", instead(_two_are_enough)),
    ),
    defect(
        "a stage that is said later is not heard",
        0,
        "stages are heard",
        (evidence, "claims", instead(_stage_at_first_sight)),
    ),
    defect(
        "all that was read is written back",
        1,
        "writes change something",
        (differences, "is_held", always(False)),
        (differences, "_shows", always(False)),
    ),
    defect(
        "another value leaves than was intended",
        0,
        "no effect without intent",
        (payload, "item", instead(_louder)),
    ),
    defect("whatever differs is the same", 0, "convergence", (differences, "same", always(True))),
    defect(
        "who has a record is made beside it",
        0,
        "no duplicate",
        (reconcile, "create", instead(_made_beside)),
    ),
)
