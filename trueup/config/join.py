"""A connection's own words laid over the connector's default mapping: the rules that hold.

Field by field: the file's rule for a field replaces the default's; a default rule also yields where the
file maps the same remote field to something else, so that nothing is written twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields as dataclass_fields
from dataclasses import replace
from typing import Any

from trueup.config.said import SaidConsent, SaidField, SaidObject
from trueup.mapping.schema import (
    Clearing,
    ConsentRule,
    Direction,
    FieldRule,
    ObjectRules,
    Refusal,
    Shape,
    TooLong,
    Unmapped,
)
from trueup.model.fields import Kind

_JOINED = frozenset(
    {"consent", "consent_example", "fields", "options", "without", "off", "origin", "direction", "stage"}
)


def joined(default: SaidObject | None, own: SaidObject | None) -> SaidObject:
    """One object: what the file says over what the default mapping says."""
    if own is None or default is None or own.case or (own.entity and own.entity != default.entity):
        return own or _plain(default or SaidObject())
    base = _plain(default)
    said: dict[str, Any] = {
        one.name: getattr(own, one.name)
        for one in dataclass_fields(SaidObject)
        if one.name not in _JOINED and getattr(own, one.name) is not None
    }
    kept = dict(_kept(base, own))
    return replace(
        base,
        **said,
        stage=own.stage or (None if "stage" in own.fields or "stage" in own.without else base.stage),
        consent={**dict(_kept_consent(base, own)), **own.consent},
        fields={**kept, **own.fields},
        options={**base.options, **own.options},
        direction=own.direction or base.direction,
        without=own.without,
        origin=own.origin,
    )


def _kept_consent(base: SaidObject, own: SaidObject) -> Iterator[tuple[str, SaidConsent]]:
    """The default's consents that hold beside the file's; none of them where the file says `none`."""
    for name, said in base.consent.items():
        if not own.no_consent and not _away(name, said.field, own):
            yield name, said


def _away(name: str, remote: str | None, own: SaidObject) -> bool:
    """Whether `without` names a default line, by our name for it or by theirs."""
    return name in own.without or (remote is not None and remote in own.without)


def _plain(default: SaidObject) -> SaidObject:
    """A default object with `default` as the origin of everything in it."""
    return replace(
        default,
        origin="default",
        stage=replace(default.stage, origin="default") if default.stage else None,
        consent={name: replace(said, origin="default") for name, said in default.consent.items()},
        fields={name: replace(said, origin="default") for name, said in default.fields.items()},
    )


def _kept(base: SaidObject, own: SaidObject) -> Iterator[tuple[str, SaidField]]:
    """The default's rules that hold beside the file's."""
    taken = {said.field for said in own.fields.values()} | {
        said.field for said in own.consent.values() if said.field
    }
    taken |= {own.stage.field} if own.stage else set()
    taken |= set(own.deactivate or {}) | set(own.reactivate or {})
    gone = {address(name) for name in (*own.fields, *own.without)} | ({"stage"} if own.stage else set())
    for name, said in base.fields.items():
        if address(name) in gone or said.field in taken or said.field in own.without:
            continue
        if own.direction is None:
            yield name, said
        elif own.direction is Direction.BOTH or said.direction in (None, Direction.BOTH, own.direction):
            yield (
                name,
                replace(said, direction=None if own.direction is not Direction.BOTH else said.direction),
            )


def address(name: str) -> str:
    """A field's address in the tables: `emails[]` in a file is the field `emails`."""
    return name.removesuffix("[]")


def object_rules(name: str, said: SaidObject) -> ObjectRules:
    """The typed rules of one object, as the compiler of mappings takes them."""
    kind = None if said.case else said.entity or Kind.CONTACT
    stage = _stage_rule(said)
    return ObjectRules(
        name=name,
        kind=kind,
        case=said.case,
        fields=(
            *((stage,) if stage else ()),
            *(_field_rule(one, rule, said) for one, rule in said.fields.items()),
        ),
        consent=tuple(_consent_rule(one, rule) for one, rule in said.consent.items()),
        no_consent=said.no_consent,
        take=said.take,
        create=said.create,
        leaves=said.leaves or "keep",
        secondary=said.secondary or "quiet",
        deactivate=said.deactivate or {},
        reactivate=said.reactivate or {},
        deleted_elsewhere=said.deleted_elsewhere or "keep",
        merge=said.merge or "ask",
        company=said.company or "link",
        contact=said.contact,
        handoff=said.handoff or {},
        segments=said.segments or {},
        options=said.options,
        renamed_from=said.renamed_from,
        origin=said.origin,
    )


def _field_rule(name: str, rule: SaidField, said: SaidObject) -> FieldRule:
    return FieldRule(
        field=address(name),
        remote=rule.field,
        direction=rule.direction or said.direction or Direction.BOTH,
        transform=rule.transform,
        values=rule.values,
        unmapped=rule.unmapped or said.unmapped or Unmapped.ERROR,
        default=rule.default,
        clear=rule.clear or said.clear or Clearing.PROPAGATE,
        refused=rule.refused or said.refused or Refusal.WRITE_BACK,
        too_long=rule.too_long or TooLong.ERROR,
        max_length=rule.max_length,
        shape=rule.shape,
        publish=rule.publish,
        to=rule.to,
        currency=rule.currency,
        create_only=rule.create_only,
        item=replace(rule.item, kinds=rule.kinds or {}) if rule.item is not None else None,
        origin=rule.origin,
    )


def _stage_rule(said: SaidObject) -> FieldRule | None:
    stage = said.stage
    if stage is None:
        return None
    return FieldRule(
        field="stage",
        remote=stage.field,
        direction=stage.direction or said.direction or Direction.BOTH,
        values=stage.values,
        unmapped=stage.unlisted or Unmapped.ERROR,
        clear=said.clear or Clearing.PROPAGATE,
        refused=said.refused or Refusal.WRITE_BACK,
        origin=stage.origin,
    )


def _consent_rule(name: str, said: SaidConsent) -> ConsentRule:
    channel, _, purpose = name.partition(".")
    remote, shape, element = _consent_place(said)
    return ConsentRule(
        channel=channel,
        purpose=purpose,
        remote=remote,
        shape=shape,
        element=element,
        opted_out=_opted_out(said),
        evidence=said.opted_in_when.evidence,
        origin=said.origin,
    )


def _consent_place(said: SaidConsent) -> tuple[str, Shape, str]:
    """The remote path, and the element in it, that keeps the consent."""
    if said.tag is not None:
        return said.field or "tags", Shape.ELEMENT, said.tag
    if said.list is not None:
        return said.field or "lists", Shape.ELEMENT, said.list
    if said.subscription is not None:
        return f"{said.field or 'subscription'}.{said.subscription}", Shape.VALUE, ""
    return said.field or "", Shape.VALUE, ""


def _opted_out(said: SaidConsent) -> Any:
    if said.opted_out is not None:
        return said.opted_out
    if said.tag is not None or said.list is not None:
        return "present"
    return "opted_out" if said.subscription is not None else True


def joined_objects(
    defaults: Mapping[str, SaidObject], own: Mapping[str, SaidObject]
) -> Mapping[str, SaidObject]:
    """The active objects of a connection: the default mapping's in its order, then the file's own."""
    names = [*(name for name in defaults if name not in own or not own[name].off)]
    names += [name for name, said in own.items() if name not in defaults and not said.off]
    return {name: joined(defaults.get(name), own.get(name)) for name in names}
