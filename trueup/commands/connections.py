"""`connections`: what is connected, what is mapped, whether it works; release, rename, remove."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from trueup.commands.answer import FAILED, FINE, Answer, Grid, Shown, value_text
from trueup.commands.complaints import connector_lines
from trueup.commands.desk import Desk, Reality, Unusable, command, user_name
from trueup.model.counting import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trueup.config.settings import HubConfig
    from trueup.model.formats import Format
    from trueup.services.connecting import Line, RemoteField, Tried

Name = Annotated[str, typer.Argument(metavar="NAME", help="A connection: the name of its file.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do it without being asked.")]


def add(app: typer.Typer) -> None:
    connections = typer.Typer(name="connections", rich_markup_mode=None)
    command(connections, default=True, examples=("",))(overview)
    command(connections, "list", examples=("", "--json"))(list_connections)
    command(connections, "show", examples=("sales", "sales --no-sample --yaml"))(show)
    command(connections, "fields", examples=("sales", "sales phone"))(fields)
    command(connections, "test", examples=("sales",))(test)
    command(connections, "release", examples=("sales", "sales --yes"))(release)
    command(connections, "rename", examples=("sales crm",))(rename)
    command(connections, "remove", examples=("sales --yes",))(remove)
    app.add_typer(connections)


def overview(desk: Desk) -> Answer:
    """What is connected, what is mapped, and whether it works. Without a command: the list."""
    return list_connections(desk)


def list_connections(desk: Desk) -> Answer:
    """Every connection with its role, its records, and what it may write."""
    from trueup.model.entity import LinkState

    with desk.hub() as hub:
        links, approved = hub.parts.store.count_links(), hub.parts.store.approved()
        released = hub.parts.store.released() | hub.parts.decides_at_once
        config = hub.config
    rows, listed = [], []
    for name, one in config.connections.items():
        known = sum(n for (c, _, state), n in links.items() if c == name and state == LinkState.LIVE)
        state = _state(name in approved, name in released)
        rows.append((name, one.connector, one.role.value, ", ".join(one.objects), known, state))
        listed.append(
            {
                "connection": name,
                "connector": one.connector,
                "role": one.role.value,
                "objects": list(one.objects),
                "records": known,
                "approved": name in approved,
                "released": name in released,
            }
        )
    grid = Grid(("connection", "system", "role", "objects", "records", "writing"), rows)
    return Answer(
        {"connections": listed}, [grid if rows else "No connection is configured. Next: trueup init"]
    )


def _state(approved: bool, released: bool) -> str:
    if not approved:
        return "not allowed yet"
    return "allowed" if released else "allowed, fills only (not released)"


def show(
    desk: Desk,
    name: Name,
    values: Annotated[
        bool, typer.Option("--values", help="Show samples as they are, not only their form.")
    ] = False,
    yaml: Annotated[bool, typer.Option("--yaml", help="Print the whole mapping as a file.")] = False,
    sample: Annotated[
        bool,
        typer.Option("--sample/--no-sample", help="Read a page of each object for samples (one call each)."),
    ] = True,
) -> Answer:
    """Print the whole mapping: our field, direction, their field, how it is turned, who wins, and where.

    What the connection's file does not say comes from the connector's default mapping (origin `default`).
    """
    from trueup.services import connecting
    from trueup.services.yamlout import connection_yaml

    if yaml or not sample:
        config = desk.config()
        connection = connecting.connection_named(config, name)
        if yaml:
            text = connection_yaml(config, connection)
            return Answer({"connection": name, "yaml": text}, [text.rstrip("\n")])
        return _mapping(config, name, connecting.mapping_lines(config, connection, {}), [], [], values)
    with desk.hub() as hub:
        connection = connecting.connection_named(hub.config, name)
        lines = connecting.mapping_lines(hub.config, connection, connecting.samples_of(hub, name))
        forms = [one for one in hub.parts.store.formats([name]) if one.otherwise]
        return _mapping(hub.config, name, lines, forms, hub.notes, values)


def _mapping(
    config: HubConfig,
    name: str,
    lines: list[Line],
    forms: Sequence[Format],
    notes: list[str],
    values: bool,
) -> Answer:
    from trueup.services.connecting import masked_value, order_by_stage, order_in, usual_order

    def sample(line: Line) -> str:
        if line.sample is None:
            return ""
        return value_text(line.sample if values else masked_value(line.sample), 30)

    usual = usual_order(lines)
    shown: list[Shown] = []
    if usual:
        shown += [f"Where `who wins` says no order, it is {usual}.", ""]
    for object in dict.fromkeys(line.object for line in lines):
        mine = [one for one in lines if one.object == object]
        shown += [_mapping_grid(name, object, mine, usual, [sample(one) for one in mine]), ""]
    orders = {
        wins: order_by_stage(config, wins)
        for wins in dict.fromkeys(one.wins for one in lines if " > " in one.wins)
    }
    won = {
        (order_in(wins), stages, " > ".join(order) or "nobody"): None
        for wins, by in orders.items()
        for stages, order in by.items()
    }
    shown += [Grid(("who wins", "in the stages", "that is"), list(won)), ""] if won else []
    shown += _forms(name, forms)
    listed = [
        {
            "object": one.object,
            "field": one.field,
            "direction": one.direction,
            "remote": one.remote,
            "turned": one.turned,
            "wins": one.wins,
            "by_stage": orders.get(one.wins, {}),
            "origin": one.origin,
            "sample": one.sample if values else masked_value(one.sample),
        }
        for one in lines
    ]
    counted_forms = [
        {
            "object": one.object,
            "remote": one.path,
            "as_sent": one.as_sent,
            "otherwise": one.otherwise,
            "format_unknown": one.learned,
        }
        for one in forms
    ]
    document = {"connection": name, "lines": listed, "formats": counted_forms, "notes": notes}
    return Answer(document, [*shown, *notes])


def _mapping_grid(name: str, object: str, lines: list[Line], usual: str, samples: list[str]) -> Grid:
    """What is the same in every line is told once: in the title; the usual order not at all."""
    from trueup.services.connecting import DEFAULT

    own = any(one.origin != DEFAULT for one in lines)
    rows = [
        (
            *(one.field, one.direction, one.remote, one.turned, _wins(one, usual)),
            *([one.origin if one.origin != DEFAULT else ""] if own else []),
            sample,
        )
        for one, sample in zip(lines, samples, strict=True)
    ]
    head = ("ours", "", f"{name}'s", "turned by", "who wins", *(["said in"] if own else []), "sample")
    rest = "what names no place is" if own else "all of it is"
    title = f"{name} {object} ({rest} the connector's default mapping)"
    if all(one.origin != DEFAULT for one in lines):
        title = f"{name} {object}"
    return Grid(head, rows, title, whole=("said in",) if own else ())


def _wins(line: Line, usual: str) -> str:
    """Who wins, without the order where it is the usual one; a fact is kept as its system says it."""
    return line.wins.removesuffix(usual).rstrip(": ") if line.wins else "only read"


def _forms(name: str, forms: Sequence[Format]) -> list[Shown]:
    """Fields that do not always keep what they are sent, of systems that do not answer with the record."""
    if not forms:
        return []
    rows = [
        (one.object, one.path, one.as_sent, one.otherwise, "format unknown" if one.learned else "watched")
        for one in forms
    ]
    head = ("object", f"{name}'s", "records kept as sent", "otherwise", "")
    return [f"{name} keeps some values otherwise than they were sent:", Grid(head, rows), ""]


def fields(
    desk: Desk,
    name: Name,
    word: Annotated[
        str, typer.Argument(metavar="[WORD]", help="Only fields whose name or label is like this.")
    ] = "",
) -> Answer:
    """List the fields that the system has now: name, label, type, words, and which of ours use them."""
    from trueup.services import connecting

    with desk.hub() as hub:
        found = connecting.remote_fields(hub, name, word)
    rows = [_field_row(one) for one in found]
    head = ("object", "field", "label", "type", "length", "write", "words", "used by")
    shown: list[Shown] = [Grid(head, rows) if rows else f"{name} has no field like `{word}`."]
    listed = [
        {
            "object": one.object,
            "field": one.spec.name,
            "label": one.spec.label,
            "type": one.spec.type,
            "max_length": one.spec.max_length,
            "writable": one.spec.writable,
            "required": one.spec.required,
            "options": dict(one.spec.options),
            "used_by": list(one.used_by),
        }
        for one in found
    ]
    return Answer({"connection": name, "fields": listed}, shown)


def _field_row(one: RemoteField) -> tuple[object, ...]:
    spec = one.spec
    options = ", ".join(list(spec.options)[:6]) + (", …" if len(spec.options) > 6 else "")
    write = ("required" if spec.required else "yes") if spec.writable else "no"
    label = spec.label if spec.label != spec.name else ""
    return (
        one.object,
        spec.name,
        label,
        spec.type,
        spec.max_length or "",
        write,
        options,
        ", ".join(one.used_by),
    )


def test(desk: Desk, name: Name) -> Answer:
    """Log in, read field descriptions, and read one page of each object. Writes nothing."""
    from trueup.services import connecting

    with desk.hub() as hub:
        tried = connecting.try_out(hub, name)
    shown: list[Shown] = [line for one in tried for line in _tried_lines(one)]
    failed = any(one.error for one in tried)
    shown.append(f"{name} does not work as configured." if failed else f"{name} works.")
    listed = [
        {"what": one.what, "fine": one.error is None, "said": one.said or str(one.error or "")}
        for one in tried
    ]
    return Answer(
        {"connection": name, "works": not failed, "tried": listed}, shown, FAILED if failed else FINE
    )


def _tried_lines(one: Tried) -> list[str]:
    if one.error is None:
        return [f"  {one.what}: {one.said}"]
    return [f"  {one.what}: failed", *(f"    {line}" for line in connector_lines(one.error))]


def release(desk: Desk, name: Name, yes: Yes = False) -> Answer:
    """Let the rules decide where a connection differs; until then the hub only fills what is empty there.

    `trueup plan --csv FILE` lists what differs before you do.
    """
    from trueup.services import connecting

    with desk.hub() as hub:
        connecting.connection_named(hub.config, name)
        if name in hub.parts.store.released():
            return Answer({"released": name, "contacts": 0}, [f"{name} is released already."])
        number = connecting.withheld_count(hub, name)
        differ = f"{counted(number, 'record')} of {name} {'differs' if number == 1 else 'differ'}"
        desk.confirm(f"{differ} from the contact. Let the rules decide?", yes)
        due = connecting.release(hub, name, user_name())
        others = sorted(set(hub.parts.connectors) - hub.parts.store.released())
    shown = [f"{name} is released: {counted(due, 'contact')} will be decided again. Next: trueup plan"]
    if others:
        shown.append(f"Not released yet: {', '.join(others)}. What differs there is reported, not written.")
    return Answer({"released": name, "contacts": due, "not_released": others}, shown)


def rename(
    desk: Desk,
    old: Annotated[str, typer.Argument(metavar="OLD", help="The name that the connection had.")],
    new: Annotated[str, typer.Argument(metavar="NEW", help="The name that it gets.")],
) -> Answer:
    """Give a connection another name, and keep everything that is known of its records.

    The file is renamed too, unless you have done that, and the lines that name the old connection are
    corrected. If something else would be wrong then, it is told and nothing is changed.
    """
    from trueup.commands.opening import environment_for
    from trueup.services import connecting

    if desk.reality is Reality.SANDBOX:
        raise Unusable(
            "a rename changes the files of this hub, which the real systems are read with too, and a sandbox"
            " has no memory to keep: nothing was changed. Leave out `--sandbox`; a sandbox that is open"
            " is then closed and opened anew"
        )
    with desk.hub() as hub:
        done = connecting.rename(hub, environment_for(desk.folder, desk.reality), old, new, user_name())
    last = f"{counted(done.links, 'link')} moved from {old} to {new}."
    document = {"renamed": new, "links": done.links, "changed": list(done.changed)}
    return Answer(document, [*done.changed, last])


def remove(desk: Desk, name: Name, yes: Yes = False) -> Answer:
    """Forget the records of a connection that is configured no more. Nothing is changed in any system."""
    from trueup.services import connecting

    with desk.hub() as hub:
        idle = sum(n for (connection, _, _), n in hub.parts.store.count_links().items() if connection == name)
        if name not in hub.config.connections and idle:
            desk.confirm(f"Forget {counted(idle, 'link')} of {name}? The contacts keep their values.", yes)
        gone = connecting.remove(hub, name, user_name())
    return Answer({"removed": name, "links": gone}, [f"{counted(gone, 'link')} of {name} forgotten."])
