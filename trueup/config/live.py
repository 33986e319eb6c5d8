"""The mapping against what the systems say of themselves today: nothing is written, nothing is stored."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from trueup.config.checks.place import Place
from trueup.config.checks.report import Report
from trueup.config.codes import Code
from trueup.config.live_types import fits
from trueup.config.nodes import Step
from trueup.config.settings import Connection, HubConfig
from trueup.config.suggest import hint_for, listed
from trueup.config.systems import Systems, registered_systems
from trueup.connectors.base import Connector
from trueup.errors import ConnectorError, Problem
from trueup.mapping.consents import NAMED, SUBSCRIPTION, below_known, is_there
from trueup.mapping.schema import ConsentRule, Direction, FieldRule, ObjectRules, Shape, TooLong, Unmapped
from trueup.model.fields import Field
from trueup.model.record import FieldSpec, Json
from trueup.model.values import Type


def check_live(
    config: HubConfig, connectors: Mapping[str, Connector], read_at: datetime, systems: Systems | None = None
) -> list[Problem]:
    """Every place where the configuration and a system's own metadata do not fit.

    `connectors` by connection; those that are missing are not checked. `read_at`: the time of asking,
    named beside each list that was read. A system that cannot be asked is one problem, not a failure.
    """
    report = Report(config, registered_systems() if systems is None else systems, {})
    moment = read_at.astimezone(ZoneInfo(config.hub.time_zone))
    for name, connection in config.connections.items():
        if name in connectors:
            _connection(report, connection, connectors[name], f"today {moment:%H:%M}")
    return sorted(set(report.problems))


def _connection(report: Report, connection: Connection, connector: Connector, when: str) -> None:
    file = f"connections/{connection.name}"
    try:
        connector.whoami()
    except ConnectorError as error:
        _no_access(report, file, ("auth",), f"`{connection.name}` cannot be asked: {error.message}", error)
        return
    system = report.system(connection)
    title = system.title if system else connection.connector
    for rules in connection.objects.values():
        place = Place(report, connection, rules, system)
        path = place.path() if report.has(file, *place.path()) else ("connector",)
        try:
            specs = connector.fields(rules.name)
        except ConnectorError as error:
            _no_access(
                report, file, path, f"the fields of `{rules.name}` cannot be read: {error.message}", error
            )
            continue
        known = connector.objects().get(rules.name)
        by_name = {spec.name: spec for spec in specs}
        _Live(place, by_name, title, when, known.id_field if known else "").check()


def _no_access(
    report: Report, file: str, path: tuple[Step, ...], message: str, error: ConnectorError
) -> None:
    says = f"it says: {error.vendor_says}" if error.vendor_says else ""
    report.at_key(
        file,
        path,
        Code.LIVE_ACCESS,
        message,
        hint=says,
        remedy=error.remedy or "check credentials and permissions",
    )


@dataclass(slots=True)
class _Live:
    """One object: its rules beside its metadata. `id_field`: see ObjectSpec. `seen`: remote fields already
    told to be missing."""

    place: Place
    specs: Mapping[str, FieldSpec]
    title: str
    when: str
    id_field: str = ""
    seen: set[str] = field(default_factory=set)

    @property
    def rules(self) -> ObjectRules:
        return self.place.rules

    def check(self) -> None:
        for rule in self.rules.fields:
            self._rule(rule)
        for consent in self.rules.consent:
            self._consent(consent)
        for key, action in (("deactivate", self.rules.deactivate), ("reactivate", self.rules.reactivate)):
            for remote, value in action.items():
                self._action(self.place.path(key, remote), remote, value)
        if self.rules.create is not None:
            self._required()
        self._shared_id()

    # -- one rule -------------------------------------------------------------------------------------

    def _rule(self, rule: FieldRule) -> None:
        own = rule.origin != "default"
        path = self.place.rule_path(rule)
        spec = self._spec(rule.remote)
        if spec is None:
            if own and not self._below_known(rule.remote):
                self._missing((*path, "field") if self._has(*path, "field") else path, rule.remote)
            return
        canonical = self.place.table.get(rule.field)
        if canonical is None:
            return
        if own or rule.direction is Direction.OUT:
            self._writable(rule, spec, path)
        if own:
            self._type(rule, spec, canonical, path)
        self._length(rule, spec, canonical, path)
        self._words(rule, spec, canonical, path)

    def _spec(self, remote: str) -> FieldSpec | None:
        return self.specs.get(remote.partition("#")[0])

    def _below_known(self, remote: str) -> bool:
        """A path into an object field, or across a reference, is not described by metadata."""
        return below_known(remote, self.specs)

    def _has(self, *path: Step) -> bool:
        return self.place.report.has(self.place.file, *path)

    def _missing(self, path: tuple[Step, ...], remote: str) -> None:
        if remote in self.seen:
            return
        self.seen.add(remote)
        labels = {name: spec.label for name, spec in self.specs.items()}
        near = hint_for(remote, self.specs, labels)
        if near.startswith("the field's name is"):
            near = f"`{remote}`: {near}"
        self.place.report.at_value(
            self.place.file,
            path,
            Code.LIVE_FIELD,
            f"mapping: {self._unseen(remote)}",
            hint=near,
            remedy=f"correct the name (`trueup connections fields {self.place.connection.name}` lists them),"
            " or give the account the right to see it",
        )

    def _unseen(self, remote: str) -> str:
        return (
            f"{self.title} has no field `{remote}` in {self.rules.name}, or does not show it to this account"
        )

    def _writable(self, rule: FieldRule, spec: FieldSpec, path: tuple[Step, ...]) -> None:
        if rule.direction is Direction.IN or spec.writable:
            return
        where = (*path, "direction") if self._has(*path, "direction") else path
        self.place.report.at_value(
            self.place.file,
            where,
            Code.LIVE_ACCESS,
            f"mapping: {self.title} does not let this account write {self.rules.name}.{rule.remote}",
            hint=f"read {self.when}",
            remedy="write `direction: in`, or give the account the right to edit the field",
        )

    def _type(self, rule: FieldRule, spec: FieldSpec, canonical: Field, path: tuple[Step, ...]) -> None:
        turned = rule.transform or rule.values or rule.item or rule.shape is Shape.ELEMENT
        if turned or fits(canonical.type, spec.type):
            return
        self.place.report.at_value(
            self.place.file,
            path,
            Code.LIVE_TYPE,
            f"mapping: `{rule.field}` is of type {canonical.type},"
            f" and {self.rules.name}.{rule.remote} of type {spec.type}",
            hint=f"read from {self.title} {self.when}",
            remedy="map another field, or say how the value is turned (`transform:` or `values:`)",
        )

    def _length(self, rule: FieldRule, spec: FieldSpec, canonical: Field, path: tuple[Step, ...]) -> None:
        ours = rule.max_length or canonical.max_length
        outward = rule.direction is not Direction.IN
        if not outward or ours is None or spec.max_length is None or rule.too_long is TooLong.TRUNCATE:
            return
        if ours > spec.max_length:
            self.place.report.at_value(
                self.place.file,
                path,
                Code.LIVE_TYPE,
                f"mapping: `{rule.field}` may have {ours} characters,"
                f" and {self.rules.name}.{rule.remote} takes {spec.max_length}",
                hint=f"read from {self.title} {self.when}",
                remedy=f"make the field longer there, write `max_length: {spec.max_length}` in hub.yaml,"
                " or say `too_long: truncate`",
            )

    # -- picklists ------------------------------------------------------------------------------------

    def _words(self, rule: FieldRule, spec: FieldSpec, canonical: Field, path: tuple[Step, ...]) -> None:
        if not spec.options or rule.unmapped in (Unmapped.CREATE, Unmapped.PASS):
            return
        for steps, word in self._said_words(rule, canonical, path):
            if not _listed(word, spec):
                self._not_a_value(steps, word, spec, rule.origin == "default")

    def _said_words(
        self, rule: FieldRule, canonical: Field, path: tuple[Step, ...]
    ) -> Iterator[tuple[tuple[Step, ...], Json]]:
        """Every remote word that this rule would write or read, with where it stands."""
        if rule.values is not None:
            for ours, words in rule.values.items():
                for index, word in enumerate(words):
                    inside = (*path, "values", ours, index)
                    yield (inside if self._has(*inside) else (*path, "values", ours)), word
        elif canonical.type is Type.CHOICE and rule.direction is not Direction.IN and rule.transform is None:
            for option in canonical.options:
                yield path, option
        if rule.default is not None:
            yield (*path, "default"), rule.default

    def _not_a_value(self, path: tuple[Step, ...], word: Json, spec: FieldSpec, default: bool) -> None:
        says = f"the default mapping of {self.rules.name}: " if default else ""
        self.place.report.at_value(
            self.place.file,
            path,
            Code.LIVE_WORD,
            f"mapping: {says}`{word}` is not a value of {self.rules.name}.{spec.name}",
            hint=hint_for(str(word), spec.options, dict(spec.options)).replace(
                "the field's name is", "its value is"
            ),
            allowed=f"{listed(spec.options)}  (read from {self.title} {self.when})",
            remedy=f"correct the value, or add it in {self.title}{self._menu(spec)}",
        )

    def _menu(self, spec: FieldSpec) -> str:
        menu = _MENUS.get(self.place.connection.connector, "")
        return menu.format(object=self.rules.name, field=spec.name, label=spec.label or spec.name)

    # -- consent, actions, required -------------------------------------------------------------------

    def _consent(self, rule: ConsentRule) -> None:
        path = self.place.path("consent", f"{rule.channel}.{rule.purpose}")
        word = next((one for one in ("field", *NAMED) if self._has(*path, one)), None)
        if rule.origin == "default" or word is None:
            return
        spec = self._spec(rule.remote)
        if not is_there(rule, self.specs):
            self._no_place((*path, word), rule)
        elif spec is None:
            return
        elif not spec.writable:
            self.place.report.at_value(
                self.place.file,
                (*path, word),
                Code.LIVE_ACCESS,
                f"consent: {self.title} does not let this account write {self.rules.name}.{rule.remote}",
                hint="an opt-out from elsewhere could not be honoured here",
                remedy="give the account the right to edit it",
            )
        elif spec.options and rule.shape is Shape.VALUE and not _listed(rule.opted_out, spec):
            self._not_a_value((*path, "opted_out"), rule.opted_out, spec, default=False)

    def _no_place(self, path: tuple[Step, ...], rule: ConsentRule) -> None:
        """What keeps a consent is not there under that name: no opt-out comes from it or reaches it."""
        kind, _, name = rule.remote.partition(".")
        if kind != SUBSCRIPTION or not name:
            self._missing(path, rule.remote)
            return
        names = [one.removeprefix(f"{kind}.") for one in self.specs if one.startswith(f"{kind}.")]
        listing = f"`trueup connections fields {self.place.connection.name} {kind}` lists them"
        self.place.report.at_value(
            self.place.file,
            path[:-1] + (kind,) if self._has(*path[:-1], kind) else path,
            Code.LIVE_FIELD,
            f"consent: {self.title} has no subscription `{name}` in {self.rules.name}, or does not show it"
            " to this account",
            hint=hint_for(name, names) or ("" if names else "there is none that this account sees"),
            allowed=f"{listed(names)}  (read from {self.title} {self.when})" if names else "",
            remedy=f"correct the name ({listing}): no opt-out comes from it or goes there",
        )

    def _action(self, path: tuple[Step, ...], remote: str, value: Json) -> None:
        spec = self._spec(remote)
        if not self._has(*path):
            return
        if spec is None:
            if not self._below_known(remote):
                self._missing_key(path, remote)
        elif spec.options and not _listed(value, spec):
            self._not_a_value(path, value, spec, default=False)

    def _missing_key(self, path: tuple[Step, ...], remote: str) -> None:
        labels = {name: spec.label for name, spec in self.specs.items()}
        self.place.report.at_key(
            self.place.file,
            path,
            Code.LIVE_FIELD,
            f"{path[-2]}: {self._unseen(remote)}",
            hint=hint_for(remote, self.specs, labels),
            remedy="correct the name, or give the account the right to see it",
        )

    def _shared_id(self) -> None:
        """A key that nothing keeps unique: where two rows share it, the hub writes to neither."""
        spec = self.specs.get(self.id_field)
        writes = any(rule.direction is not Direction.IN for rule in self.rules.fields)
        if spec is None or spec.unique or not writes or not any(one.writable for one in self.specs.values()):
            return
        self.place.report.at_value(
            self.place.file,
            self.place.path("key"),
            Code.LIVE_KEY,
            f"`{spec.name}` is the key of {self.rules.name}, and no unique index holds it",
            hint="rows that share a key cannot be told apart: what is meant for them is refused",
            remedy=f"make `{spec.name}` unique there, or name a column that is",
        )

    def _required(self) -> None:
        written = {rule.remote for rule in self.rules.fields if rule.direction is not Direction.IN}
        missing = [spec for spec in self.specs.values() if spec.required and spec.name not in written]
        for spec in missing:
            label = f" ({spec.label})" if spec.label not in ("", spec.name) else ""
            self.place.report.at_key(
                self.place.file,
                self.place.path("create"),
                Code.LIVE_REQUIRED,
                f"mapping: {self.title} creates no {self.rules.name} without `{spec.name}`"
                f"{label}, and nothing is mapped to it",
                hint=f"read {self.when}",
                remedy="map a field to it, with a default for contacts that have none:"
                f" `FIELD: {{field: {spec.name}, default: …}}`",
            )


def _listed(word: Json, spec: FieldSpec) -> bool:
    """Whether a word is one of the options; true and false are compared as systems write them."""
    text = str(word).lower() if isinstance(word, bool) else str(word)
    return text in spec.options or (isinstance(word, bool) and text in {one.lower() for one in spec.options})


_MENUS = {
    "salesforce": ": Setup > Object Manager > {object} > {field}",
    "hubspot": ": Settings > Properties > {label}",
    "zendesk": ": Admin Center > People > Configuration > User fields > {label}",
}
"""Where a list of words is edited, per connector."""
