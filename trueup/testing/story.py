"""The life of one plan, told: what people did, what the hub decided about it and why, and what was wrong.

A story is listened to while it happens (`Story.beside`), because only then what was decided stands beside
what had happened by then. Each line begins with the place in the journal at which it was told.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from trueup.model.delivery import DeliveryState
from trueup.model.history import Change, Conflict, HistoryRow
from trueup.testing.findings import findings
from trueup.testing.sorts import COMPANIES, COMPANY, COMPANY_FIELDS, EMPLOYER
from trueup.testing.system import HUB, ROBOT, Act
from trueup.testing.traits import FIELDS, MADE, OPT_OUT, Traits
from trueup.testing.world import Watch, Worker, World

_REMOTE = {field: remote for remote, field in {**COMPANY_FIELDS, **FIELDS, EMPLOYER: COMPANY}.items()}
_MOST = 12
"""So many lines of the story are named below each thing that is wrong."""


@dataclass(frozen=True, slots=True)
class Line:
    """Something that was told: its place in the journal, and what it speaks of (contacts, records, remote
    fields)."""

    place: int
    time: str
    text: str
    of: frozenset[str] = frozenset()


@dataclass(slots=True)
class Story:
    """One life, line by line, and how far it was told."""

    lines: list[Line] = field(default_factory=list)
    _journal: int = 0
    _acts: int = 0
    _decided: dict[str, int] = field(default_factory=dict)

    def beside(self, watch: Watch) -> Watch:
        """Who looks on with this watch, and listens for the story too."""

        def stepped(world: World, worker: Worker, what: str) -> None:
            watch.stepped(world, worker, what)
            self._listen(world)
            if what == "commit":
                self._decisions(world, worker)

        return Watch(stepped, watch.asked, watch.stored)

    def told(self, world: World, wrong: Sequence[str]) -> Iterator[str]:
        """The whole story of a world at rest, and the verdict: `wrong` is what the oracle found."""
        self._listen(world)
        yield f"Seed {world.plan.seed}, a history of {world.plan.profile}. The systems:"
        for traits in world.plan.systems:
            yield f"  {traits.name}: {', '.join(_traits(traits)) or 'as plain as a system can be'}"
        yield ""
        yield from (f"{line.place:>5} {line.time} {line.text}" for line in self.lines)
        yield ""
        yield from _at_rest(world)
        yield ""
        yield from self._verdict(wrong)

    # -- listening ----------------------------------------------------------------------------------------

    def _listen(self, world: World) -> None:
        """Tell the acts and events since the last time, in the order in which they happened."""
        entries = list(enumerate(world.journal[self._journal :], self._journal + 1))
        acts = sorted(
            (act.place, name, act) for one in world.all for name in (one.traits.name,) for act in one.acts
        )
        fresh = [_event(world, number, entry) for number, entry in entries]
        for _, name, act in acts[self._acts :]:
            before = (number for number, entry in entries if entry.partition(" ")[0] <= act.at.isoformat())
            fresh.append(_act(name, act, max(before, default=self._journal)))
        self._journal, self._acts = len(world.journal), len(acts)
        self.lines.extend(sorted((line for line in fresh if line.text), key=lambda line: line.place))

    def _decisions(self, world: World, worker: Worker) -> None:
        """Tell what the history knows since the last commit, and why."""
        for who in (*world.contacts(), *world.known(world.companies)):
            rows = world.store.history(who, 1000)
            known = self._decided.get(who, 0)
            self._decided[who] = len(rows)
            for row in reversed(rows[: len(rows) - known]):
                self.lines.extend(
                    _line(len(world.journal), row.at.isoformat(), f"  {worker.name} decides: {text}")
                    for text in _decision(who, row)
                )

    # -- the verdict --------------------------------------------------------------------------------------

    def _verdict(self, wrong: Sequence[str]) -> Iterator[str]:
        if not wrong:
            yield "Verdict: every check holds."
            return
        yield f"Verdict: {len(wrong)} things are wrong."
        for one in wrong:
            check, _, what = one.partition(": ")
            of = _named(what)
            yield f"* The check `{check}` failed: {what}"
            for word, kind in (("contacts", _CONTACT), ("records", _RECORD), ("fields", _FIELD)):
                named = sorted(name for name in of if kind.fullmatch(name))
                if named:
                    yield f"    {word}: {', '.join(named)}"
            places = sorted({*self._places(of), *(int(one) for one in re.findall(r"line (\d+)", what))})
            if places:
                yield f"    told in journal lines {', '.join(map(str, places))}"

    def _places(self, of: frozenset[str]) -> list[int]:
        """Where the story speaks of one of these contacts or records, and of one of these fields."""
        fields = {name for name in of if _FIELD.fullmatch(name)}
        who = of - fields
        found = [
            line.place
            for line in self.lines
            if (not who or who & line.of) and (not fields or fields & line.of)
        ]
        return sorted(set(found))[-_MOST:]


_CONTACT = re.compile(r"(?:c|co)-\d+")
_RECORD = re.compile(r"(?:alpha|beta|gamma)/[abg]c?\d+")
_FIELD = re.compile("|".join((*FIELDS, *COMPANY_FIELDS, EMPLOYER, OPT_OUT)))


def _named(text: str) -> frozenset[str]:
    """The contacts, records and remote fields that a sentence speaks of."""
    words = re.findall(r"[a-z][\w-]*(?:/people|/companies)?(?:/[abg]c?\d+)?", text)
    plain = (word.replace("/people", "").replace("/companies", "") for word in words)
    fields = (_REMOTE.get(word, word) for word in plain)
    return frozenset(
        word for word in fields if any(one.fullmatch(word) for one in (_CONTACT, _RECORD, _FIELD))
    )


# -- sentences --------------------------------------------------------------------------------------------


def _act(name: str, act: Act, place: int) -> Line:
    who = {HUB: "the hub", ROBOT: "an automation"}.get(act.by, "somebody")
    changes = ", ".join(
        f"{one} {act.before.get(one)!r} -> {value!r}"
        for one, value in act.after.items()
        if act.before.get(one) != value
    )
    text = f"{name}/{act.id}: {who} does {act.what} {changes}".rstrip()
    return _line(place, act.at.isoformat(), text)


def _line(place: int, at: str, text: str) -> Line:
    return Line(place, at[11:23] if at[19] == "." else f"{at[11:19]}.000", text, _named(text))


def _event(world: World, place: int, entry: str) -> Line:
    at, _, text = entry.partition(" ")
    return _line(place, at, _told_of(world, text))


def _told_of(world: World, text: str) -> str:
    """What an entry of the journal tells; empty for steps, which nobody wants to hear of."""
    if text.startswith("{'do': "):
        return _planned(world, ast.literal_eval(text))
    if (
        text.startswith("ann sets ")
        or " was killed " in text
        or " hints at " in text
        or text.endswith(("Held", "LeaseLost", "PlanDrifted"))
    ):
        return text
    worker, _, rest = text.partition(" ")
    ended = re.fullmatch(r"(completed|with_errors|partial|held|failed) \[.*\]", rest)
    return f"{worker} ends its run: {ended[1].replace('_', ' ')}" if ended else ""


def _planned(world: World, event: Mapping[str, Any]) -> str:
    names = [one.name for one in world.plan.systems]
    match event["do"]:
        case "fault":
            at = names[event.get("at", 0) % len(names)]
            return f"{event['what']} will strike the {event['nth']}. {event['route']} from now at {at}"
        case "storm":
            return f"{event['what']} will strike the {event['nth']}. call from now at every system"
        case "forge":
            at = names[event.get("at", 0) % len(names)]
            return f"somebody forges {event['other']} hints of {at}"
        case "turn":
            return f"ann configures {names[event.get('at', 0) % len(names)]}: {event['what']}"
        case "remap":
            at = names[event.get("at", 0) % len(names)]
            return f"ann maps {event['field']} of {at}: {event['what']}"
        case "drift":
            at = names[event.get("at", 0) % len(names)]
            return f"{event['field']} of {at} drifts: {event['what']}"
        case "grant":
            return f"ann grants the hub anew what it may do at {names[event.get('at', 0) % len(names)]}"
        case "run":
            over = ", ".join(names[place % len(names)] for place in event.get("of", ()))
            return f"process {event.get('worker', 0)} runs over {over}"
        case "plan":
            return f"process {event.get('worker', 0)} saves a plan"
        case "apply":
            return f"process {event.get('worker', 0)} applies the saved plan"
        case "resume":
            return f"process {event.get('worker', 0)} goes on"
        case "clock":
            return f"the hub's clock is set by {event['seconds']:+g} s"
        case "release":
            return "ann releases every connection"
        case "operator" if event["what"] in ("approve", "retry", "discard"):
            return f"ann says {event['what']} of what waits for her"
    return ""


def _decision(who: str, row: HistoryRow) -> Iterator[str]:
    for change in row.changes:
        yield _change(who, change)
    for conflict in row.conflicts:
        yield _conflict(who, conflict)


def _change(who: str, change: Change) -> str:
    return f"{who} {change.field} {change.old!r} -> {change.new!r}, from {change.source} ({change.rule})"


def _conflict(who: str, one: Conflict) -> str:
    return (
        f"{who} {one.field}: {one.lost!r} of {one.lost_source} loses against {one.kept!r} of "
        f"{one.kept_source} ({one.rule})"
    )


def _at_rest(world: World) -> Iterator[str]:
    for id, case in {**findings(world).cases, **findings(world, COMPANIES).cases}.items():
        values = ", ".join(f"{name} {value}" for name, value in sorted(case.entity.values.items()) if value)
        links = ", ".join(f"{link.connection}/{link.remote_id} ({link.state})" for link in case.links)
        yield f"At rest {id} is {values}; linked: {links}"
    over = (DeliveryState.DONE, DeliveryState.SUPERSEDED, DeliveryState.OVERTAKEN)
    for one in world.store.deliveries([state for state in DeliveryState if state not in over], None, 1000):
        record = f"{one.write.connection}/{one.link.remote_id}"
        yield f"At rest a write to {record} is {one.state}: {dict(one.write.values)} {one.error}"


def _traits(traits: Traits) -> Iterator[str]:
    words = {
        "creates": "the hub creates there",
        "unique_email": "refuses a second record with an address",
        "versions": "guards writes by versions",
        "upsert": "keeps the hub's id",
        "answers": "answers with the record",
        "whole": "refuses batches as a whole",
        "ordered": "changes come oldest first",
        "offset": "counts pages",
        "uneven": "pages of any number",
        "dated": "keeps when and where somebody opted in",
        "hints": "tells which record moved",
        "forgets": "says of every batch that all was done, and forgets to tell of an item",
    }
    yield from (said for name, said in words.items() if getattr(traits, name))
    if not traits.feed:
        yield "tells nothing of deletions"
    if traits.tokens:
        lives = f" and {traits.lives:g} s" if traits.lives else ""
        yield f"its tokens are good for {traits.tokens} calls{lives}"
    if traits.grain > 0.001:
        yield f"stamps of {traits.grain:g} s"
    if traits.lag:
        yield f"lists lag {traits.lag:g} s"
    if traits.skew:
        yield f"its clock is {traits.skew:+g} s off"
    if traits.companies:
        hub = ", and the hub makes some" if traits.companies == MADE else ""
        yield f"keeps companies{hub}"
    if traits.lets_go:
        yield "takes a company that goes out of people's records"
    if traits.robot:
        yield f"a workflow rewrites {traits.robot}"
    yield from (f"{name}: {way}" for name, way in traits.habits if way != "keep")
