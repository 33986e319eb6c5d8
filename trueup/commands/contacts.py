"""`contacts` and `why`: one contact, what it holds, and the reasons."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from trueup.commands.answer import Answer, Grid, Shown, value_text
from trueup.commands.desk import Desk, Unusable, command, user_name

if TYPE_CHECKING:
    from trueup.model.plan import Case
    from trueup.model.record import Json
    from trueup.services.asking import Statement, Why
    from trueup.services.finding import Double, Found
    from trueup.services.standing import Standing

Who = Annotated[
    str,
    typer.Argument(
        metavar="WHO",
        help="A contact's id (c-17), an e-mail address, a number, a record (crm/contacts/5) or its id.",
    ),
]


def add(app: typer.Typer) -> None:
    contacts = typer.Typer(name="contacts", rich_markup_mode=None, no_args_is_help=True)

    @contacts.callback()
    def about() -> None:
        """Find, look at and edit contacts."""

    command(contacts, "find", examples=("kovalchuk", "+380671234567 --limit 5"))(find)
    command(contacts, "show", examples=("c-17", "ann@example.com"))(show)
    command(contacts, "waiting", examples=("", "--limit 10"))(waiting)
    command(
        contacts,
        "edit",
        examples=(
            'c-17 "job_title=Head of Sales" tags=vip,seaside',
            'c-17 consent.email.marketing=opted_out --because "phoned on Monday"',
        ),
    )(edit)
    app.add_typer(contacts)
    command(app, "why", examples=("c-17", "ann@example.com job_title"))(why)


def find(
    desk: Desk,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="A part of a name, an address, or an id.")],
    limit: Annotated[int, typer.Option("--limit", min=1, metavar="N", help="At most N.")] = 20,
) -> Answer:
    """Search contacts by name, e-mail address, number or record id."""
    from trueup.services import finding

    with desk.hub() as hub:
        found = finding.find(hub, text, limit)
    rows = [(one.id, one.name, one.email, one.stage, ", ".join(one.records)) for one in found]
    shown: list[Shown] = [Grid(("contact", "name", "e-mail", "stage", "has records in"), rows)]
    if not found:
        shown = [f"No contact matches `{text}`. A record that was not read yet is not known: trueup plan"]
    listed = [
        {"id": one.id, "name": one.name, "email": one.email, "stage": one.stage, "systems": list(one.records)}
        for one in found
    ]
    return Answer({"contacts": listed}, shown)


def waiting(
    desk: Desk,
    limit: Annotated[int, typer.Option("--limit", min=1, metavar="N", help="At most N.")] = 50,
) -> Answer:
    """List the contacts that wait for a decision: whether they are the same person as another one.

    Meanwhile each is kept in step with its own records, and created nowhere else. There is no command yet
    that decides it.
    """
    from trueup.services import finding

    with desk.hub() as hub:
        found, every = finding.waiting(hub, limit)
    rows = [
        (one.contact.id, *_called(one.contact), *_called(other, other.id))
        for one in found
        for other in one.others
    ]
    head = ("contact", "name", "e-mail", "has records in", "may be", "e-mail", "has records in")
    more = [f"  and {every - len(found):,} more: --limit {every}"] if every > len(found) else []
    shown: list[Shown] = [Grid(head, rows), *more] if found else ["No contact waits for a decision."]
    return Answer({"waiting": every, "contacts": [_waiting_document(one) for one in found]}, shown)


def _called(one: Found, id: str = "") -> tuple[str, str, str]:
    return " ".join(filter(None, (id, one.name))), one.email, ", ".join(one.records)


def _waiting_document(one: Double) -> Json:
    others = [{"id": each.id, "systems": list(each.records)} for each in one.others]
    return {"id": one.contact.id, "systems": list(one.contact.records), "may_be": others}


def show(desk: Desk, who: Who) -> Answer:
    """One contact: its fields with where each came from, its records, and how it stands in each system."""
    from trueup.services import asking, finding, standing

    with desk.hub() as hub:
        case = finding.the_one(hub, who)
        held = asking.why_values(hub, case)
        stands = standing.standings(hub, case)
    rows = [
        (one.field, _held_text(one, case), one.source, _time(one.at)) for one in held if "[" not in one.field
    ]
    shown: list[Shown] = [
        _title(case),
        "",
        Grid(("field", "value", "from", "since"), rows),
        "",
        _records(case),
        "",
    ]
    shown += [_standing_grid(stands), *_difference_lines(stands)]
    return Answer(_document(case, held, stands), shown)


def why(
    desk: Desk,
    who: Who,
    field: Annotated[str | None, typer.Argument(metavar="[FIELD]", help="One field; left out: all.")] = None,
) -> Answer:
    """Say why a contact holds what it holds, and why a system does not.

    For each field: value, where it came from, when, by which rule it won, what it replaced, who lost. For
    each system exactly one reason.
    """
    from trueup.services import asking, finding, standing

    with desk.hub() as hub:
        case = finding.the_one(hub, who)
        held = asking.why_values(hub, case, field)
        stands = standing.standings(hub, case)
    shown: list[Shown] = [_title(case), ""]
    for one in held:
        shown += _why_lines(one)
    shown += ["", _standing_grid(stands), *_difference_lines(stands)]
    return Answer(_document(case, held, stands), shown)


def _why_lines(one: Why) -> list[str]:
    run = f"run {one.run}" if one.run is not None else ""
    said = (f"from {one.source}", _time(one.at), f"by {one.rule or 'no rule'}", run)
    pinned = ", pinned" if one.pinned else ""
    lines = [
        f"{one.field} = {value_text(one.value, 200)}",
        f"    {', '.join(filter(None, said))}{pinned}",
    ]
    if one.evidence:
        lines.append(f"    evidence: {one.evidence}")
    for each in one.again:
        words = f": {each.evidence}" if each.evidence else ""
        lines.append(f"    told again by {each.source}, {_time(each.at)}{words}")
    if one.replaced not in (None, []):
        lines.append(f"    it replaced {value_text(one.replaced, 200)}")
    for loser in one.losers:
        lines.append(
            f"    lost: {value_text(loser.value, 200)} from {loser.source}, {_time(loser.at)}: {loser.rule}"
        )
    return lines


def edit(
    desk: Desk,
    who: Who,
    changes: Annotated[
        list[str],
        typer.Argument(
            metavar="FIELD=VALUE...", help="New values; FIELD= empties a field; lists with commas."
        ),
    ],
    pin: Annotated[
        bool, typer.Option("--pin", help="Keep these values, whatever systems say later.")
    ] = False,
    because: Annotated[
        str | None,
        typer.Option(
            "--because", metavar="TEXT", help="With an opt-out: how you know of it; `why` tells it."
        ),
    ] = None,
) -> Answer:
    """Edit a contact in the hub: the next sync writes it to every system that has such a field.

    Your edit wins over all systems at that moment; a later edit in a system may change it again, unless it
    is pinned. An opt-out that somebody told you is `consent.email.marketing=opted_out`: it goes to every
    system at once, before all else, and stands until a documented opt-in; an opt-in cannot be typed here.
    """
    from trueup.services import asking, finding, standing

    told = asking.told(dict(_pair(change) for change in changes), user_name(), pin, because)
    with desk.hub() as hub:
        case = finding.the_one(hub, who)
        id = case.entity.public_id
        before = standing.outcome(hub, case)
        values = asking.edit(hub, case, told)
        unheard = asking.unheard(hub, case, values)
        after = standing.outcome(hub, hub.parts.store.case(id))
        withheld = after.more_than(before)
    lines = [
        f"{id} {name}: {value_text(case.entity.values.get(name))} -> {value_text(v)}"
        for name, v in values.items()
    ]
    return Answer(
        {
            "id": id,
            "values": values,
            "pinned": pin,
            "reaches_nobody": unheard,
            "withheld": [
                {"connection": name, "object": object, "field": field} for name, object, field in withheld
            ],
        },
        [
            *lines,
            *_unheard_lines(unheard),
            *_withheld_lines(withheld),
            f"Noted as {_kept(told)}. Next: {_next(told, id, [] if after.writes else withheld)}",
        ],
    )


def _next(told: Statement, id: str, withheld: list[tuple[str, str, str]]) -> str:
    """An opt-out concerns others too: who has the same address, or may be the same person. Where the sync
    would only withhold, the release comes before it."""
    if told.consents:
        return "trueup sync, for all: an opt-out also concerns others who share the address"
    first = [f"trueup connections release {name}, then " for name, _, _ in withheld[:1]]
    return f"{''.join(first)}trueup sync --only {id}"


def _withheld_lines(withheld: list[tuple[str, str, str]]) -> list[str]:
    """Where an edit does not go yet: in each connection that is not released."""
    fields: dict[str, list[str]] = {}
    for name, _, field in withheld:
        known = fields.setdefault(name, [])
        known += [f"`{field}`"] if f"`{field}`" not in known else []
    return [
        line
        for name, some in fields.items()
        for line in (
            f"  Withheld in {name}, which is not released: {', '.join(some)}. A sync reports it, and writes",
            f"  it only after `trueup connections release {name}`, which is for everybody there.",
        )
    ]


def _kept(told: Statement) -> str:
    """As what it was noted."""
    edited = ["pinned" if told.keep else "an edit"] if told.fields else []
    return " and ".join(edited + (["an opt-out"] if told.consents else []))


def _unheard_lines(names: list[str]) -> list[str]:
    from trueup.model.consent import consent_of

    consents = [name for name in names if consent_of(name) is not None]
    return [*_no_field_lines([name for name in names if name not in consents]), *_no_keeper_lines(consents)]


def _no_keeper_lines(names: list[str]) -> list[str]:
    if not names:
        return []
    consents = " or ".join(f"`{name}`" for name in names)
    return [
        f"  No system in which the contact has a record keeps {consents}: it is kept here, and",
        "  goes wherever a record of the contact comes. Where a system keeps it, `consent:` in the file of",
        "  that connection says.",
    ]


def _no_field_lines(names: list[str]) -> list[str]:
    if not names:
        return []
    fields = " or ".join(f"`{name}`" for name in names)
    return [
        f"  No connection takes {fields} from the hub: it is kept here, and",
        "  no system gets it. To have one get it, map it under `fields:` of that connection.",
    ]


def _pair(change: str) -> tuple[str, str]:
    name, sign, value = change.partition("=")
    if not sign or not name.strip():
        raise Unusable(f"`{change}` is no FIELD=VALUE")
    return name.strip(), value


# -- shown --------------------------------------------------------------------------------------------


def _title(case: Case) -> str:
    from trueup.model.calling import full_name

    waits = (
        "  (waits for a decision: is this the same person as another contact?)"
        if case.entity.provisional
        else ""
    )
    return f"{case.entity.public_id}  {full_name(case.entity.values)}{waits}"


def _held_text(one: Why, case: Case) -> str:
    """The value; of addresses with kind and label beside each."""
    from trueup.services.described import described

    told = described(one.field, case.entity.values)
    return f"[{', '.join(told)}]" if told else value_text(one.value)


def _records(case: Case) -> Grid:
    rows = [
        (
            link.connection,
            link.object,
            link.remote_id or "",
            link.state.value,
            "" if link.primary else "further record",
            _time(link.seen_at),
        )
        for link in case.links
    ]
    return Grid(("system", "object", "record", "state", "", "read"), rows)


def _standing_grid(stands: list[Standing]) -> Grid:
    rows = [(one.connection, one.word, one.sentence, one.then) for one in stands]
    return Grid(("system", "stands", "because", "then"), rows, whole=("then",))


def _difference_lines(stands: list[Standing]) -> list[str]:
    """What a release would replace, and what a person kept from being replaced, field by field."""
    from trueup.services.standing import REFUSED

    after = _differing([one for one in stands if one.word not in REFUSED])
    kept = _differing([one for one in stands if one.word in REFUSED])
    lines = ["", "Would be replaced after a release:", *after] if after else []
    return [*lines, "", "Not written, because somebody gave it up:", *kept] if kept else lines


def _differing(stands: list[Standing]) -> list[str]:
    return [
        f"    {each.connection} {one.field}: {value_text(one.there, 200)} -> {value_text(one.proposed, 200)}"
        for each in stands
        for one in each.differences
    ]


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


def _time(at: object) -> str:
    return f"{at:%Y-%m-%d %H:%M}" if at else ""


def _document(case: Case, held: list[Why], stands: list[Standing]) -> Json:
    from trueup.services.described import structured

    return {
        "id": case.entity.public_id,
        "provisional": case.entity.provisional,
        "fields": [
            {
                "field": one.field,
                "value": structured(one.field, one.value),
                "source": one.source,
                "at": _iso(one.at),
                "rule": one.rule,
                "replaced": structured(one.field, one.replaced),
                "run": one.run,
                "pinned": one.pinned,
                "evidence": one.evidence,
                "told_again": [
                    {"source": each.source, "at": _iso(each.at), "evidence": each.evidence}
                    for each in one.again
                ],
                "lost": [
                    {"value": each.value, "source": each.source, "rule": each.rule, "at": each.at.isoformat()}
                    for each in one.losers
                ],
            }
            for one in held
        ],
        "records": [
            {
                "connection": link.connection,
                "object": link.object,
                "id": link.remote_id,
                "state": link.state.value,
                "primary": link.primary,
            }
            for link in case.links
        ],
        "systems": [
            {
                "connection": one.connection,
                "stands": one.word,
                "because": one.sentence,
                "then": one.then,
                "record": one.record,
                "differences": [
                    {"field": each.field, "there": each.there, "proposed": each.proposed}
                    for each in one.differences
                ],
            }
            for one in stands
        ],
    }
