"""What the demonstration says: its tables, and its sentences about people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from trueup.commands.answer import Grid, Shown, value_text
from trueup.commands.counts import FIELDS, RECORDS
from trueup.commands.demo_stories import COMPANY, Story
from trueup.commands.demo_systems import MARKETING, SALES, SHOP, SUPPORT, Place
from trueup.commands.demo_world import Stage, Unlike
from trueup.model.consent import ConsentState, consent_field
from trueup.model.counting import counted
from trueup.model.fields import Kind
from trueup.model.plan import Case
from trueup.model.record import Json
from trueup.services import asking, failing, standing
from trueup.sync.tally import Sample, Tally

IMITATES = {MARKETING: "HubSpot", SALES: "Salesforce", SUPPORT: "Zendesk", SHOP: "a shop's database"}


def systems_grid(stage: Stage) -> Grid:
    """The four systems and how many records of people each has."""
    rows = [
        (name, connection.role.value, IMITATES[name], len(stage.filled[name].records))
        for name, connection in stage.config.connections.items()
    ]
    return Grid(("connection", "role", "is played by", "records of people"), rows)


def done_line(tally: Tally) -> str:
    """What a run did, in one line that adds up: decided, now and before = done + refused + not sent.

    What earlier runs held back and this one let go was decided then; where that is all, only what is done is
    said.
    """
    done, refused = tally.get("done"), tally.get("failed")
    decided = sum(tally.get(what) for what in RECORDS)
    ends = [f"{refused:,} refused by their system"] if refused else []
    if not decided:
        return "; ".join([f"{counted(done, 'pending write')} done", *ends]) + "."
    left = decided - done - refused
    ends += [f"{left:,} not sent: held back, or replaced by a newer decision"] if left > 0 else []
    fields = _numbers(tally, FIELDS)
    within = f"; in them {fields}" if fields else ""
    wrote = f"{counted(decided, 'pending write')} ({_numbers(tally, RECORDS)}{within})"
    wrote += f" and {-left:,} decided before" if left < 0 else ""
    return "; ".join([f"{wrote}: {done:,} done", *ends]) + "."


def _numbers(tally: Tally, names: Sequence[str]) -> str:
    """`231 creates, 1 update`: what there is of each."""
    found = [(tally.get(what), what.replace("_", "-").removesuffix("s")) for what in names]
    return ", ".join(counted(number, word) for number, word in found if number)


def opt_out_lines(tally: Tally) -> list[str]:
    """What a first sync writes over all the same: opt-outs. Raises Unlike when it replaced anything."""
    if tally.get("replaces"):
        raise Unlike(f"the first sync replaced {tally.get('replaces'):,} values before any release")
    if not tally.get("opt_outs"):
        return []
    return [f"{counted(tally.get('opt_outs'), 'opt-out')} that a system did not know of: those never wait."]


def withheld_grid(stage: Stage, tally: Tally) -> Grid:
    """By connection: how many contacts differ, in how many fields."""
    from trueup.services.connecting import withheld_count

    rows = [
        (name, withheld_count(stage.hub, name), tally.get("withheld", name))
        for name in stage.config.connections
    ]
    return Grid(("connection", "contacts and companies", "values that differ"), rows)


def sample_grid(stage: Stage, samples: Sequence[Sample], each: int = 2) -> Grid:
    """A few replacements of every connection, old and new."""
    rows: list[tuple[object, ...]] = []
    for name in stage.config.connections:
        mine = [one for one in samples if one.connection == name and one.effect == "replace"]
        fields: dict[str, Sample] = {}
        for one in mine:
            fields.setdefault(one.field, one)
        rows += [
            (one.entity, name, one.field, value_text(one.old, 40), value_text(one.new, 40))
            for one in list(fields.values())[:each]
        ]
    return Grid(("who", "in", "field", "holds", "would become"), rows)


def cause_lines(stage: Stage, most: int = 3) -> list[str]:
    """What systems did not take, by cause."""
    found = [cause for cause in failing.causes(stage.hub) if cause.kind == "write"]
    lines = [
        f"  {one.connection} {one.object}: {counted(one.count, 'write')}: {one.reason}  [{one.code}]"
        for one in found[:most]
    ]
    more = len(found) - most
    return [*lines, *([f"  and {counted(more, 'more cause')}"] if more > 0 else [])]


# -- one person ----------------------------------------------------------------------------------------


def acts_grid(stories: Sequence[Story]) -> Grid:
    """Who edited what, where."""
    rows = [
        (
            number,
            place.connection,
            f"{place.object} {place.id}",
            place.path,
            _held(story, place),
            _now_there(story, story.edited, place),
        )
        for number, story in enumerate(stories, 1)
        for place in story.watched
        if place in story.edited and story.before.get(place) != story.edited[place]
    ]
    return Grid(("story", "in", "record", "field", "held", "is edited to"), rows)


def _now_there(story: Story, then: Mapping[Place, Json], place: Place) -> str:
    """What a system holds after an edit or a sync."""
    if then.get(place) is None and story.before.get(place) is not None:
        return "(deleted)"
    return value_text(then.get(place), 40)


def story_parts(stage: Stage, story: Story, case: Case, since: datetime) -> list[Shown]:
    """One story: who, what every system held before and holds now, and why."""
    return [story.told, story_grid(story), *_reasons(stage, story, case, since), *_absences(stage, case)]


def story_grid(story: Story) -> Grid:
    rows = [
        (
            place.connection,
            f"{place.object} {place.id}",
            place.path,
            _held(story, place),
            _now_there(story, story.after, place),
            _author(story, place),
        )
        for place in story.watched
    ]
    return Grid(("in", "record", "field", "before", "after", "written by"), rows)


def _held(story: Story, place: Place) -> str:
    if place not in story.before:
        return "(no record)"
    return value_text(story.before[place], 40)


def _author(story: Story, place: Place) -> str:
    """Who made it so: a person there, trueup, or a person whom trueup corrected."""
    before, edited, after = (moment.get(place) for moment in (story.before, story.edited, story.after))
    if after is None and before is not None:
        return "a person"
    if edited != before and place in story.edited:
        return "a person" if after == edited else f"trueup, over {value_text(edited, 30)}"
    return "" if after == before else "trueup"


def _reasons(stage: Stage, story: Story, case: Case, since: datetime) -> Iterator[str]:
    """Who won, by which rule, and who lost, since a time."""
    for name in story.fields:
        for one in asking.why_values(stage.hub, case, name):
            said = _said_by(stage, case, name, since) or f"from {one.source}, by {one.rule}"
            yield f"  {one.field} is {_named(stage, one.value)}: {said}"
            for loser in one.losers:
                if loser.at >= since:
                    yield f"    lost: {value_text(loser.value)} from {loser.source}: {loser.rule}"
                    yield f"    {order_line(stage, case, name)}"


def _named(stage: Stage, value: Json) -> str:
    """A value; where it is another entity, with its name."""
    text = value_text(value)
    if isinstance(value, str) and value.startswith("co-"):
        return f"{value}, {value_text(stage.hub.store.case(value).entity.values.get('name'))}"
    return text


def _said_by(stage: Stage, case: Case, name: str, since: datetime) -> str:
    """Of consent: which event it follows from; empty for other fields."""
    events = [one for one in case.consent if consent_field(one.channel, one.purpose) == name]
    events = [one for one in events if one.state is ConsentState.OPTED_OUT]
    if not events:
        return ""
    last = max(events, key=lambda one: one.at)
    return f"said by {last.source}; the strictest wins, and an opt-out goes out first"


def order_line(stage: Stage, case: Case, name: str) -> str:
    """The order of authority that decided, in the contact's stage."""
    leads = str(case.entity.values.get("stage") or "")
    order = " > ".join(stage.config.authority(name, leads or None, Kind.CONTACT))
    return f"in stage `{leads}` the order for {name} is {order}"


def _absences(stage: Stage, case: Case) -> Iterator[str]:
    """Systems that have no record of this person, each with the one reason."""
    for one in standing.standings(stage.hub, case):
        if not one.record:
            yield f"  no record in {one.connection}: {one.sentence}"
    company = case.entity.values.get("company")
    if isinstance(company, str) and new_company(stage, company):
        for one in standing.standings(stage.hub, stage.hub.store.case(company)):
            if not one.record:
                yield f"  no record of the company in {one.connection}: {one.sentence}"


def new_company(stage: Stage, id: str) -> bool:
    """Whether a company is the one that came in the demonstration."""
    return stage.hub.store.case(id).entity.values.get("name") == COMPANY
