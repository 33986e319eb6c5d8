"""The rules of each object: fields, transforms, directions, value maps, and nothing said twice."""

from __future__ import annotations

from collections.abc import Iterator

from trueup.config.checks.consent import check_consent
from trueup.config.checks.fields import field_hint
from trueup.config.checks.items import check_items
from trueup.config.checks.laws import check_laws
from trueup.config.checks.place import Place
from trueup.config.checks.publishing import check_publish
from trueup.config.checks.report import Report
from trueup.config.codes import Code
from trueup.config.join import address
from trueup.config.nodes import Step
from trueup.config.suggest import hint_for, listed
from trueup.mapping.schema import Direction, FieldRule, Shape, Unmapped
from trueup.mapping.transforms import TRANSFORMS, UnknownTransform, transform
from trueup.model.canonical import Locale
from trueup.model.fields import Field, Kind
from trueup.model.values import Type


def check_mappings(report: Report) -> None:
    for connection in report.config.connections.values():
        for rules in connection.objects.values():
            place = Place(report, connection, rules, report.system(connection))
            before = len(report.problems)
            for rule in rules.fields:
                _rule(place, rule)
            _written_twice(place)
            _both_stage(place)
            check_consent(report, place.file, rules)
            _handoff(place)
            _segments(place)
            if len(report.problems) == before:
                report.problems.extend(check_laws(place))


def _rule(place: Place, rule: FieldRule) -> None:
    field = place.table.get(rule.field)
    if field is None:
        _unknown_field(place, rule)
        return
    _transform(place, rule, field)
    _direction(place, rule, field)
    _values(place, rule, field)
    _shape(place, rule, field)
    check_items(place.report, place.file, place.rule_path(rule), rule)
    _confined(place, rule, field)


def _unknown_field(place: Place, rule: FieldRule) -> None:
    if rule.field.startswith("consent."):
        place.report.at_key(
            place.file,
            place.rule_path(rule),
            Code.CONSENT,
            "consent is not mapped as a field",
            remedy=f"move it to `consent:` of the object, as"
            f" `{rule.field.removeprefix('consent.')}: {{field: {rule.remote}, opted_out: …}}`",
        )
        return
    shown = place.rule_path(rule)[-1]
    remedy = "`trueup config fields` lists them; a field of your own goes to hub.yaml: contact.custom_fields"
    near = field_hint(rule.field, place.table)
    place.report.at_key(
        place.file,
        place.rule_path(rule),
        Code.FIELD,
        f"mapping: no {place.what} has a field `{shown}`",
        hint=near,
        allowed="" if place.rules.kind else listed(place.table, 40),
        remedy=remedy if place.rules.kind else "",
    )


def _transform(place: Place, rule: FieldRule, field: Field) -> None:
    if rule.transform is None:
        return
    try:
        transform(
            rule.transform, field.type, Locale(place.connection.phone_region, place.connection.time_zone)
        )
    except UnknownTransform as error:
        name = rule.transform.partition("(")[0].strip()
        path = (*place.rule_path(rule), "transform")
        if name in TRANSFORMS:
            place.report.at_value(place.file, path, Code.MAPPING, str(error))
            return
        fitting = [one for one, entry in TRANSFORMS.items() if field.type in entry.types]
        place.report.at_value(
            place.file,
            path,
            Code.MAPPING,
            f"there is no transform `{name}`",
            hint=_with_parameters(hint_for(name, TRANSFORMS), rule.transform),
            allowed=f"{listed(fitting, 40)}  (for a field of type {field.type})",
        )


def _with_parameters(hint: str, said: str) -> str:
    """The hint for a misspelt transform, with the brackets as they were written."""
    name, bracket, rest = said.strip().partition("(")
    return hint.replace("`?", f"{bracket}{rest}`?") if bracket else hint


def _direction(place: Place, rule: FieldRule, field: Field) -> None:
    path = place.rule_path(rule)
    said = (*path, "direction") if place.report.has(place.file, *path, "direction") else path
    if field.derived and rule.field != "full_name" and rule.direction is Direction.IN and said != path:
        place.report.at_value(
            place.file,
            said,
            Code.DIRECTION,
            f"`{rule.field}` is computed: it goes out of the hub, never in",
            remedy="write `direction: out`, or map another field",
        )
    spec = place.spec(rule.remote)
    if spec is not None and not spec.writable and rule.direction is Direction.OUT:
        title = place.system.title if place.system else "the system"
        place.report.at_value(
            place.file,
            said,
            Code.DIRECTION,
            f"{title} does not let `{rule.remote}` be written",
            remedy="write `direction: in`, or map a field that can be written",
        )
    check_publish(place.report, place.file, path, rule, field)


# -- value maps ---------------------------------------------------------------------------------------


def _values(place: Place, rule: FieldRule, field: Field) -> None:
    if rule.values is None or rule.origin == "default" or field.type is not Type.CHOICE:
        return
    path = (*place.rule_path(rule), "values")
    is_stage = rule.field == "stage" and place.rules.kind is Kind.CONTACT
    for word in rule.values:
        if word not in field.options:
            place.report.at_key(
                place.file,
                (*path, word),
                Code.VALUES,
                f"mapping: `{word}` is not a stage"
                if is_stage
                else f"mapping: `{word}` is not an option of `{rule.field}`",
                hint=hint_for(word, field.options),
                allowed=listed(field.options, 40),
            )
    missing = [word for word in field.options if word not in rule.values]
    if missing and rule.unmapped is Unmapped.ERROR and rule.direction is not Direction.IN:
        one, many = ("stage", "stages") if is_stage else ("option", "options")
        what = f"this {one}" if len(missing) == 1 else f"these {many}"
        leave = "unlisted: leave" if is_stage and path[-2] == "stage" else "unmapped: leave"
        place.report.at_key(
            place.file,
            path,
            Code.VALUES,
            f"mapping: the value map of `{rule.field}` has no word for {what}: {listed(missing, 20)}",
            remedy=f"add {'it' if len(missing) == 1 else 'them'}, or say `{leave}`: what is not listed"
            " neither writes nor reads this field",
        )
    if place.rules.kind is Kind.CONTACT and not is_stage:
        _ambiguous(place, rule, path)


def _ambiguous(place: Place, rule: FieldRule, path: tuple[Step, ...]) -> None:
    """Two options with one remote word: only for stages is there a rule that says which is meant."""
    if rule.direction is Direction.OUT or rule.values is None:
        return
    seen: dict[str, str] = {}
    for word, remote in rule.values.items():
        for one in remote:
            first = seen.setdefault(repr(one), word)
            if first != word:
                place.report.at_value(
                    place.file,
                    (*path, word),
                    Code.VALUES,
                    f"mapping: `{one}` means both `{first}` and `{word}`",
                    remedy="list it once: of a list the first is written, all are read",
                )


# -- shapes, twice, confined --------------------------------------------------------------------------


def _shape(place: Place, rule: FieldRule, field: Field) -> None:
    path = place.rule_path(rule)
    if rule.shape in (Shape.LIST, Shape.ELEMENTS, Shape.ELEMENT) and not field.type.is_set:
        place.report.at_value(
            place.file,
            (*path, "shape"),
            Code.MAPPING,
            f"`{rule.shape}` is for sets, and `{rule.field}` holds one value",
        )
    if rule.shape is Shape.ELEMENT and "#" not in rule.remote:
        place.report.at_key(
            place.file,
            path,
            Code.MAPPING,
            f"which element of `{rule.remote}` is it?",
            remedy=f"write `field: {rule.remote}#ELEMENT`",
        )
    if rule.to is not None and rule.to not in place.connection.objects:
        known = place.connection.objects
        place.report.at_value(
            place.file,
            (*path, "to"),
            Code.MAPPING,
            f"`{rule.to}` is not an object of this connection",
            hint=hint_for(rule.to, known),
            allowed=listed(known),
        )


def _written_twice(place: Place) -> None:
    """Two rules, or a rule and an action, that write one remote field."""
    writers: dict[str, str] = {}
    for remote, name, path in _writers(place):
        first = writers.setdefault(remote, name)
        if first != name:
            place.report.at_key(
                place.file,
                path,
                Code.TWICE,
                f"mapping: `{remote}` is written by `{first}` and by `{name}`",
                remedy="keep one of the two, or give one of them `direction: in`",
            )


def _writers(place: Place) -> Iterator[tuple[str, str, tuple[Step, ...]]]:
    for rule in place.rules.fields:
        if rule.direction is not Direction.IN and rule.shape is not Shape.ELEMENT:
            yield rule.remote, rule.field, place.rule_path(rule)
    for consent in place.rules.consent:
        if consent.shape is not Shape.ELEMENT and consent.remote:
            name = f"{consent.channel}.{consent.purpose}"
            yield consent.remote, f"consent {name}", place.path("consent", name)
    for remote in dict.fromkeys((*place.rules.deactivate, *place.rules.reactivate)):
        action = "deactivate" if remote in place.rules.deactivate else "reactivate"
        yield remote, "deactivate/reactivate", place.path(action, remote)


def _both_stage(place: Place) -> None:
    fields = place.report.said_fields(place.rules.name, place.file)
    if place.report.has(place.file, *place.path("stage")) and "stage" in fields:
        place.report.at_key(
            place.file,
            place.path("fields", "stage"),
            Code.TWICE,
            "mapping: the stage is mapped here and in `stage:` above",
            remedy="keep one of the two",
        )
    seen: dict[str, str] = {}
    for name in fields:
        first = seen.setdefault(address(name), name)
        if first != name:
            place.report.at_key(
                place.file,
                place.path("fields", name),
                Code.TWICE,
                f"mapping: `{first}` and `{name}` are the same field",
                remedy="keep one of the two",
            )


def _confined(place: Place, rule: FieldRule, field: Field) -> None:
    if rule.direction is Direction.IN or not field.confined_to or place.rules.kind is None:
        return
    if place.report.config.confined(rule.field, place.connection.name, place.rules.kind):
        _say_confined(place, rule.field, field, place.rule_path(rule))


def _say_confined(place: Place, name: str, field: Field, path: tuple[Step, ...]) -> None:
    place.report.at_key(
        place.file,
        path,
        Code.CONFINED,
        f"`{name}` may not be written here: it is confined to {listed(field.confined_to)}",
        hint=f"{place.connection.name} has the role {place.connection.role}",
        remedy="remove this line, write `direction: in`, or widen `confined_to` in hub.yaml",
    )


def _handoff(place: Place) -> None:
    said = place.rules.handoff.get("fields") or []
    for position, name in enumerate(said):
        path = place.path("handoff", "fields", position)
        field = place.table.get(address(name))
        if field is None:
            place.report.at_value(
                place.file,
                path,
                Code.FIELD,
                f"handoff: no {place.what} has a field `{name}`",
                hint=field_hint(name, place.table),
            )
        elif place.report.config.confined(name, place.connection.name):
            _say_confined(place, name, field, path)


def _segments(place: Place) -> None:
    known = list(place.report.config.lifecycle.segments)
    known += ["resting"] if place.report.config.lifecycle.contact_pressure.at_most else []
    known += [
        a.target
        for s in place.report.config.lifecycle.stages.values()
        for a in s.enter
        if a.kind == "segment"
    ]
    known += [
        a.target
        for b in place.report.config.lifecycle.scoring.bands.values()
        for a in b.enter
        if a.kind == "segment"
    ]
    for position, name in enumerate(place.rules.segments.get("publish") or []):
        if name not in known:
            place.report.at_value(
                place.file,
                place.path("segments", "publish", position),
                Code.NAME,
                f"there is no segment `{name}`",
                hint=hint_for(name, known),
                allowed=listed(dict.fromkeys(known), 40),
            )
