"""Connections: what they map, what is there, whether they work; releasing, renaming, removing them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rapidfuzz import fuzz

from trueup.config.load import examine, shown_folder
from trueup.config.settings import Connection, HubConfig
from trueup.config.suggest import hint_for
from trueup.errors import ConfigError, ConnectorError, NotFound, Problem, TrueupError
from trueup.mapping.schema import ConsentRule, FieldRule, ObjectRules, Shape
from trueup.model.counting import counted
from trueup.model.fields import Kind
from trueup.model.record import FieldSpec, Json, Reading
from trueup.services.hub import Hub
from trueup.sync.inbox import asked_fields


def connection_named(config: HubConfig, name: str) -> Connection:
    """The configured connection. NotFound names those that there are."""
    found = config.connections.get(name)
    if found is None:
        names = list(config.connections)
        hint = hint_for(name, names) or f"there are {', '.join(names)}"
        raise NotFound(f"there is no connection `{name}`; {hint}")
    return found


# -- the mapping as a table ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a mapping: our field, direction (`->` out, `<-` in, `<->` both), their field.

    `wins`: who decides the field, strongest first, by stage where that differs. `origin`: `default` or
    file:line. `sample`: a value that is there now, None if none was found.
    """

    object: str
    field: str
    direction: str
    remote: str
    turned: str
    wins: str
    origin: str
    sample: Json = None


DEFAULT = "default"
"""The origin of a line that the connector's default mapping says."""


def order_in(wins: str) -> str:
    """The order of connections and roles in what `Line.wins` says, without the strategy before it."""
    return wins.rpartition(": ")[2]


def usual_order(lines: Sequence[Line]) -> str:
    """The order that most lines have; empty where no order stands twice."""
    orders = Counter(order_in(one.wins) for one in lines if " > " in one.wins)
    order, number = max(orders.items(), key=lambda one: one[1], default=("", 0))
    return order if number > 1 else ""


_ARROWS = {"in": "<-", "out": "->", "both": "<->"}


def mapping_lines(
    config: HubConfig, connection: Connection, samples: Mapping[str, Mapping[str, Json]]
) -> list[Line]:
    """The whole mapping of a connection, default lines included. `samples`: by object, path to value."""
    lines: list[Line] = []
    for name, rules in connection.objects.items():
        found = samples.get(name, {})
        lines.extend(_field_line(config, rules, rule, found) for rule in rules.fields)
        lines.extend(_consent_line(rules, rule, found) for rule in rules.consent)
    return lines


def _field_line(config: HubConfig, rules: ObjectRules, rule: FieldRule, samples: Mapping[str, Json]) -> Line:
    wins = _wins(config, rule.field, rules.kind) if rules.kind is not None else ""
    direction = _ARROWS[rule.direction.value if rules.kind is not None else "in"]
    return Line(
        rules.name,
        rule.field,
        direction,
        rule.remote,
        _turned(rule),
        wins,
        rule.origin,
        samples.get(rule.remote),
    )


def _turned(rule: FieldRule) -> str:
    """How the value is turned on its way."""
    words = [rule.transform or ""]
    if rule.values is not None:
        words.append(counted(len(rule.values), "word"))
    if rule.to:
        words.append(f"record of {rule.to}")
    if rule.default is not None:
        words.append(f"default {rule.default}")
    if rule.shape not in (None, Shape.VALUE):
        words.append(str(rule.shape))
    if rule.item is not None:
        words.append("objects")
    if rule.create_only:
        words.append("with a new record only")
    return ", ".join(filter(None, words))


def _consent_line(rules: ObjectRules, rule: ConsentRule, samples: Mapping[str, Json]) -> Line:
    remote = f"{rule.remote}#{rule.element}" if rule.element else rule.remote
    turned = f"{rule.opted_out} means opted out"
    if rule.evidence:
        turned += f"; opted in with {' and '.join(rule.evidence)}"
    name = f"consent.{rule.channel}.{rule.purpose}"
    return Line(
        rules.name, name, "<->", remote, turned, "the strictest", rule.origin, samples.get(rule.remote)
    )


def _wins(config: HubConfig, field: str, kind: Kind) -> str:
    """The authority list as hub.yaml says it, and the strategy where it is not `authority`."""
    policy = config.policy(field, kind)
    said = "" if policy.strategy.value == "authority" else f"{policy.strategy.value}: "
    return said + " > ".join(policy.authority)


def order_by_stage(config: HubConfig, wins: str) -> dict[str, tuple[str, ...]]:
    """What an authority list comes to in each stage: those that agree together, `every stage` if all."""
    names = wins.rpartition(": ")[2].split(" > ")
    orders: dict[tuple[str, ...], list[str]] = {}
    for stage in config.lifecycle.stages:
        order = tuple(dict.fromkeys(one for name in names for one in config.names(name, stage)))
        orders.setdefault(order, []).append(stage)
    if len(orders) == 1:
        return {"every stage": next(iter(orders))}
    return {", ".join(stages): order for order, stages in orders.items()}


def samples_of(hub: Hub, name: str) -> dict[str, Mapping[str, Json]]:
    """One value that is there now for each remote field, out of the first page of each object.

    Costs one call per object. Objects that cannot be read have none.
    """
    found: dict[str, Mapping[str, Json]] = {}
    for stream in hub.parts.streams(name):
        try:
            page = hub.parts.connectors[name].pull(
                stream[1], Reading.LISTING, None, asked_fields(hub.parts, stream)
            )
        except ConnectorError as error:
            hub.notes.append(f"no sample of {name} {stream[1]}: {error.message}")
            continue
        values: dict[str, Json] = {}
        for record in page.records:
            values.update(
                {
                    path: v
                    for path, v in record.values.items()
                    if v not in (None, "", []) and path not in values
                }
            )
        found[stream[1]] = values
    return found


def masked_value(value: Json) -> Json:
    """What a person may see of a sample without asking for values: its form, not what it says."""
    if isinstance(value, str):
        return "".join(_masked_sign(sign, place) for place, sign in enumerate(value[:40]))
    if isinstance(value, list):
        return [masked_value(one) for one in value[:3]]
    return "…" if isinstance(value, dict) else value


def _masked_sign(sign: str, place: int) -> str:
    if place == 0 or not sign.isalnum():
        return sign
    return "0" if sign.isdigit() else "x"


# -- fields there -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RemoteField:
    """One field that the system has now, and which of our fields use it."""

    object: str
    spec: FieldSpec
    used_by: tuple[str, ...]


def remote_fields(hub: Hub, name: str, word: str = "") -> list[RemoteField]:
    """The fields of every configured object, as the system says now; those like `word`, best first.

    Raises the ConnectorError of a system that cannot be asked.
    """
    connection = connection_named(hub.config, name)
    found = [
        RemoteField(object, spec, tuple(_users(rules, spec.name)))
        for object, rules in connection.objects.items()
        for spec in hub.parts.connectors[name].fields(object)
    ]
    if not word:
        return found
    rated = [(_likeness(word, one.spec), one) for one in found]
    return [one for rate, one in sorted(rated, key=lambda pair: -pair[0]) if rate >= _LIKE]


_LIKE = 75.0


def _users(rules: ObjectRules, remote: str) -> Iterator[str]:
    yield from (rule.field for rule in rules.fields if rule.remote.partition("#")[0] == remote)
    yield from (f"consent.{rule.channel}.{rule.purpose}" for rule in rules.consent if rule.remote == remote)


def _likeness(word: str, spec: FieldSpec) -> float:
    """How much a field's name or label is like a word."""
    wanted = word.casefold()
    return max(fuzz.partial_ratio(wanted, text.casefold()) for text in (spec.name, spec.label or spec.name))


# -- does it work -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Tried:
    """One thing that was tried: `said` is the answer, `error` why it failed."""

    what: str
    said: str = ""
    error: ConnectorError | None = None


def try_out(hub: Hub, name: str) -> list[Tried]:
    """Log in, read field descriptions, read one page of each object. Nothing is stored or written."""
    connection_named(hub.config, name)
    connector = hub.parts.connectors[name]
    try:
        tried = [Tried("log in", connector.whoami())]
    except ConnectorError as error:
        return [Tried("log in", error=error)]
    for stream in hub.parts.streams(name):
        tried.append(_tried_fields(hub, stream))
        tried.append(_tried_page(hub, stream))
    return tried


def _tried_fields(hub: Hub, stream: tuple[str, str]) -> Tried:
    what = f"fields of {stream[1]}"
    try:
        return Tried(what, counted(len(hub.parts.connectors[stream[0]].fields(stream[1])), "field"))
    except ConnectorError as error:
        return Tried(what, error=error)


def _tried_page(hub: Hub, stream: tuple[str, str]) -> Tried:
    what = f"a page of {stream[1]}"
    try:
        page = hub.parts.connectors[stream[0]].pull(
            stream[1], Reading.LISTING, None, asked_fields(hub.parts, stream)
        )
    except ConnectorError as error:
        return Tried(what, error=error)
    if not page.records:
        return Tried(what, "no record: it is empty, or this account may see none")
    of = f" of {page.total:,}" if page.total is not None else ""
    return Tried(what, f"{counted(len(page.records), 'record')}{of}")


# -- releasing, renaming, removing --------------------------------------------------------------------


def withheld_count(hub: Hub, name: str) -> int:
    """How many contacts differ in this system without being written."""
    found: set[int] = set()
    for connection, object in hub.parts.streams(name):
        after = 0
        while ids := hub.parts.store.withheld(connection, object, after, 5000):
            after = ids[-1]
            found.update(ids)
    return len(found)


def release(hub: Hub, name: str, user: str) -> int:
    """End the first load of a connection: from now on the rules decide what differs. How many contacts."""
    connection_named(hub.config, name)
    return hub.parts.store.release(name, user, hub.parts.now())


class Refusal(TrueupError):
    """A connection cannot be renamed or removed as asked; nothing was changed."""

    code = "TU-CNN-001"
    exit_code = 2


@dataclass(frozen=True, slots=True)
class Renamed:
    """What a rename did: the links that moved (none before a first plan), and the files, in words."""

    links: int
    changed: tuple[str, ...]


def rename(hub: Hub, environment: Mapping[str, str], old: str, new: str, user: str) -> Renamed:
    """Give a connection another name: its file (unless that has it already), the lines that name it, and
    everything that is remembered of it.

    Raises Refusal when both files, or none, are there or the memory knows the new name already, and
    ConfigError when the new name leads to a problem of another kind: all is as it was then.
    """
    before, after = (hub.folder / "connections" / f"{name}.yaml" for name in (old, new))
    if after.is_file() == before.is_file():
        what = "both are there" if after.is_file() else "neither is there"
        raise Refusal(f"one of connections/{old}.yaml and connections/{new}.yaml is wanted, but {what}")
    remembered = hub.parts.store.remembered()
    if {old, new} <= remembered:
        raise Refusal(
            f"{old} cannot become {new}: the hub remembers a connection {new} already (a plan or a sync ran"
            " under that name), and what it knows of two is never mixed; choose a name that it does not know"
        )
    kept = _files_of(hub.folder)
    try:
        done = _rename_files(hub.folder, environment, old, new) if before.is_file() else []
        links = 0
        if old in remembered:
            links = hub.parts.store.rename_connection(old, new, user, hub.parts.now())
    except BaseException:
        _put_back(hub.folder, kept)
        raise
    return Renamed(links, tuple(done))


def _files_of(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in [*folder.glob("*.yaml"), *folder.glob("connections/*.yaml")]}


def _put_back(folder: Path, kept: Mapping[Path, bytes]) -> None:
    now = _files_of(folder)
    for path in now.keys() - kept.keys():
        path.unlink()
    for path, content in kept.items():
        if now.get(path) != content:
            path.write_bytes(content)


def _rename_files(folder: Path, environment: Mapping[str, str], old: str, new: str) -> list[str]:
    """Rename the file and correct the lines that name it; what was done, in words. ConfigError when
    something else would be wrong then."""
    known = {(one.code, one.message) for one in examine(folder, environment)[1]}
    (folder / "connections" / f"{old}.yaml").rename(folder / "connections" / f"{new}.yaml")
    done = [f"connections/{old}.yaml is now connections/{new}.yaml"]
    while problems := [
        one for one in examine(folder, environment)[1] if (one.code, one.message) not in known
    ]:
        corrected = [place for one in problems if (place := _corrected(folder, one, old, new))]
        if not corrected:
            raise ConfigError(problems)
        done += [f"{place} names {new} now" for place in corrected]
    return done


def _corrected(folder: Path, problem: Problem, old: str, new: str) -> str:
    """Put the new name where a problem marks the old one; the place, empty if it marks something else."""
    path = folder / Path(problem.file).relative_to(shown_folder(folder))
    lines = path.read_text(encoding="utf-8").split("\n") if path.is_file() else []
    if not 0 < problem.line <= len(lines):
        return ""
    line, start = lines[problem.line - 1], problem.column - 1
    if not re.match(rf"{re.escape(old)}(?![\w-])", line[start:]):
        return ""
    lines[problem.line - 1] = line[:start] + new + line[start + len(old) :]
    path.write_text("\n".join(lines), encoding="utf-8")
    return f"{problem.file}:{problem.line}"


def remove(hub: Hub, name: str, user: str) -> int:
    """Forget the links of a connection that is configured no more; nothing is changed in any system.

    Raises Refusal while its file is there, NotFound when nothing is remembered of it.
    """
    if name in hub.config.connections:
        file = hub.config.connections[name].file
        raise Refusal(
            f"{file} is still there: remove it first, so that the connection does not come back by itself"
        )
    if not any(connection == name for connection, _, _ in hub.parts.store.count_links()):
        raise NotFound(f"nothing is remembered of a connection `{name}`")
    return hub.parts.store.remove_connection(name, user, hub.parts.now())
