"""Check a configuration: its files, its examples, what it costs, and what the systems say to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from trueup.config.budget import BudgetLine, budget_lines
from trueup.config.codes import Code
from trueup.config.env import Secret
from trueup.config.inactive import InactiveLine, inactive_lines
from trueup.config.live import check_live
from trueup.config.load import examine
from trueup.config.settings import HubConfig
from trueup.config.unmapped import Unmapped, unmapped_conditions
from trueup.connectors.base import Capability, Connector
from trueup.connectors.registry import connector_kind
from trueup.errors import ConfigError, ConnectorError, Problem
from trueup.model.counting import counted
from trueup.model.entity import LinkState
from trueup.model.record import Cursor, Reading
from trueup.ports import Store
from trueup.services.budget import TokenBudget
from trueup.services.examples import ExampleResult, run_examples
from trueup.services.hub import Hub, database_url
from trueup.services.name_order import turned_columns
from trueup.services.system import SystemClock
from trueup.services.unheard import Unheard, unheard
from trueup.store.open import open_store
from trueup.sync.inbox import asked_fields
from trueup.sync.rules.policy import Stream

FAR = datetime(2099, 12, 31, tzinfo=UTC)
"""A day on which nothing has changed yet: a filter that brings something for it is ignored."""

IGNORED = "TU-CFG-090"


@dataclass(frozen=True, slots=True)
class Checked:
    """What the files say. `config` None: nothing usable could be read. `idle`: links by connections that
    are configured no more. `unkeyed`: objects whose records are known by their content only. `unheard`:
    columns of consent with other words than the named ones. `turned`: sentences about fields of whole names
    that look as if they began with the family name. `unmapped`: conditions
    that ask for what nothing fills."""

    config: HubConfig | None
    problems: tuple[Problem, ...]
    inactive: tuple[InactiveLine, ...] = ()
    examples: tuple[ExampleResult, ...] = ()
    budgets: tuple[BudgetLine, ...] = ()
    idle: Mapping[str, int] = field(default_factory=dict)
    unkeyed: tuple[Stream, ...] = ()
    unheard: tuple[Unheard, ...] = ()
    turned: tuple[str, ...] = ()
    unmapped: tuple[Unmapped, ...] = ()

    @property
    def failed_examples(self) -> tuple[ExampleResult, ...]:
        return tuple(one for one in self.examples if one.misses)

    @property
    def lacks_all_secrets(self) -> bool:
        """Whether connections ask for secrets, and not one of these is there."""
        connections = self.config.connections.values() if self.config is not None else ()
        said = [value for one in connections for value in one.auth.settings.values()]
        asked = any(
            one.code == Code.VARIABLE.value and "/connections/" in f"/{one.file}" for one in self.problems
        )
        return asked and not any(isinstance(value, Secret) for value in said)


def check_files(folder: Path, environment: Mapping[str, str]) -> Checked:
    """Everything that can be told without asking a system."""
    config, problems = examine(folder, environment)
    if config is None:
        return Checked(None, problems)
    checked = Checked(config, problems, tuple(inactive_lines(config)))
    if not problems:
        checked = _in_local_files(checked, config)
    if checked.problems:
        return checked
    return replace(
        checked,
        examples=tuple(run_examples(config)),
        budgets=tuple(budget_lines(config)),
        idle=_idle_in(folder, config),
        unmapped=tuple(unmapped_conditions(config)),
    )


def _in_local_files(checked: Checked, config: HubConfig) -> Checked:
    """With mapped columns that local files do not have; where they have all, those without a column of ids,
    words that opt nobody out, and names that look turned. A file that is not there yet is no problem of the
    configuration; `--live` tells it."""
    clock = SystemClock()
    found: dict[str, Connector] = {}
    for name, connection in config.connections.items():
        kind = connector_kind(connection.connector)
        if not kind.local:
            continue
        try:
            connector = kind.build(connection.settings(), None, clock, TokenBudget(clock, ()))
            connector.whoami()
        except ConfigError as error:
            return replace(checked, problems=error.problems)
        except ConnectorError:
            continue
        found[name] = connector
    try:
        if problems := tuple(check_live(config, found, clock.now())):
            return replace(checked, problems=problems)
        return replace(
            checked,
            unkeyed=tuple(_unkeyed(config, found)),
            unheard=tuple(unheard(config, found)),
            turned=tuple(turned_columns(config, found)),
        )
    finally:
        for connector in found.values():
            connector.close()


def _unkeyed(config: HubConfig, found: Mapping[str, Connector]) -> Iterator[Stream]:
    for name, connector in found.items():
        for object, spec in connector.objects().items():
            if object in config.connections[name].objects and Capability.CONTENT_IDS in spec.capabilities:
                yield name, object


def _idle_in(folder: Path, config: HubConfig) -> Mapping[str, int]:
    """Links that no connection uses any more; nothing where no hub was at work yet."""
    url = database_url(folder, config)
    if not url.startswith("sqlite:///") or not Path(url.removeprefix("sqlite:///")).is_file():
        return {}
    store = open_store(url)
    try:
        return idle_links(store, config)
    finally:
        store.close()


def idle_links(store: Store, config: HubConfig) -> Mapping[str, int]:
    """Links of connections (or `connection object`) that the configuration does not name, by that name."""
    found: dict[str, int] = {}
    for (connection, object, state), number in store.count_links().items():
        if connection not in config.connections:
            found[connection] = found.get(connection, 0) + number
        elif object not in config.connections[connection].objects or state == LinkState.DORMANT:
            name = f"{connection} {object}"
            found[name] = found.get(name, 0) + number
    return found


# -- live ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Live:
    """What the systems say. `accounts`: who we are there, by connection. `turned`: see Checked, of all."""

    problems: tuple[Problem, ...]
    accounts: Mapping[str, str]
    turned: tuple[str, ...] = ()


def check_systems(hub: Hub) -> Live:
    """Credentials, permissions, fields, lists, lengths and change filters of every connection.

    Reads only: a few calls for each object. A system that cannot be asked is a problem, not a failure.
    """
    problems = check_live(hub.config, hub.parts.connectors, hub.parts.now())
    accounts: dict[str, str] = {}
    for name, connector in hub.parts.connectors.items():
        try:
            accounts[name] = connector.whoami()
        except ConnectorError:
            continue  # check_live has told it
        problems.extend(_ignored_filters(hub, name, connector))
        problems.extend(_shared_keys(hub, name, connector))
    turned = () if problems else tuple(turned_columns(hub.config, hub.parts.connectors))
    return Live(tuple(sorted(set(problems))), accounts, turned)


def _shared_keys(hub: Hub, name: str, connector: Connector) -> Iterator[Problem]:
    """Columns that were named as `key:` and do not tell the rows of a local file apart."""
    if not connector_kind(hub.config.connections[name].connector).local:
        return
    for stream in hub.parts.streams(name):
        key = hub.parts.specs[stream].id_field
        if not key:
            continue
        rows, without = _rows(hub, stream, connector, f"`{key}`")
        if without > rows * FEW_ROWS:
            yield _shared_key(hub, stream, key, f"{without:,} of {counted(rows, 'row')}")


def _rows(hub: Hub, stream: Stream, connector: Connector, named: str) -> tuple[int, int]:
    """How many rows a listing holds, and how many are left out of it because of what is `named` there."""
    rows = without = 0
    cursor: Cursor | None = None
    try:
        while True:
            page = connector.pull(stream[1], Reading.LISTING, cursor, asked_fields(hub.parts, stream))
            rows += len(page.records) + len(page.rejected)
            without += sum(why.startswith(named) for _, why in page.rejected)
            if not page.more:
                return rows, without
            cursor = page.cursor
    except ConnectorError:
        return 0, 0  # the plan tells why it cannot be read


def _shared_key(hub: Hub, stream: Stream, key: str, many: str) -> Problem:
    document = hub.config.documents[f"connections/{stream[0]}"]
    mark = document.key_mark("objects", stream[1])
    return Problem(
        document.file,
        mark.line,
        mark.column,
        f"`{key}` is the key of {stream[1]} and does not tell its rows apart: in {many} it is empty or"
        " repeats the value of an earlier row",
        Code.LIVE_KEY,
        hint="such rows are left out: nothing is read of them, and nothing written to them",
        remedy="name a column with another value in every row, or take `key:` out",
    )


FEW_ROWS = 0.1
"""A share of rows without a key of their own up to which the rows are wrong, and not the key."""


def _ignored_filters(hub: Hub, name: str, connector: Connector) -> list[Problem]:
    """Objects whose change filter lets records through that cannot have changed then.

    Only connectors described by a manifest are asked: their position is a time (`since`).
    """
    if connector_kind(hub.config.connections[name].connector).manifest is None:
        return []
    found = []
    for stream in hub.parts.streams(name):
        if hub.parts.can(stream, Capability.INCREMENTAL) and (
            count := _from_the_future(hub, stream, connector)
        ):
            found.append(_ignored(hub, stream, count))
    return found


def _from_the_future(hub: Hub, stream: tuple[str, str], connector: Connector) -> int:
    try:
        page = connector.pull(
            stream[1], Reading.CHANGES, {"since": FAR.isoformat()}, asked_fields(hub.parts, stream)
        )
    except ConnectorError:
        return 0  # refusing such a date is an answer too
    return len(page.records)


def _ignored(hub: Hub, stream: tuple[str, str], count: int) -> Problem:
    document = hub.config.documents[f"connections/{stream[0]}"]
    mark = document.key_mark("objects", stream[1])
    return Problem(
        document.file,
        mark.line,
        mark.column,
        f"{stream[0]} ignores the question what has changed in {stream[1]}: asked for changes after "
        f"{FAR:%Y-%m-%d} it answered with {counted(count, 'record')}",
        IGNORED,
        remedy="check the permissions; until then poll rarely, with `schedule: {full_listing: 1h}`",
    )
