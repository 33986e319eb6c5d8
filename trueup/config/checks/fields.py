"""hub.yaml's fields: custom ones, and the rules about which value wins."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from trueup.config.checks.report import Report
from trueup.config.codes import Code
from trueup.config.settings import SurvivorshipRule
from trueup.config.suggest import hint_for, listed
from trueup.model.fields import TABLES, Field, Kind, Strategy
from trueup.model.values import Type

_ORDERED = {Type.INT, Type.DECIMAL, Type.DATE, Type.DATETIME}


def check_fields(report: Report) -> None:
    for kind, entity in report.config.entities.items():
        for name, field in entity.custom_fields.items():
            _custom(report, kind, name, field)
        for name, rule in entity.survivorship.items():
            _survivorship(report, kind, name, rule)
    _vetoes(report)


def _custom(report: Report, kind: Kind, name: str, field: Field) -> None:
    path = (kind.value, "custom_fields", name)
    if name in TABLES[kind]:
        report.at_key(
            "hub",
            path,
            Code.TWICE,
            f"every {kind} has a field `{name}` already",
            remedy="remove this line and use the built-in field, or choose another name",
        )
    elif not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        report.at_key(
            "hub",
            path,
            Code.FIELD,
            f"`{name}` is no name for a field",
            remedy="use small letters, digits and _, beginning with a letter",
        )
    if field.type is Type.CHOICE and not field.options:
        report.at_key(
            "hub", path, Code.MISSING, f"`{name}` is a choice without options", remedy="add `options: [...]`"
        )
    if field.options and field.type not in (Type.CHOICE, Type.TEXTS):
        report.at_key(
            "hub",
            (*path, "options"),
            Code.TYPE,
            f"`{name}` has options, and its type is {field.type}",
            remedy="write `type: choice`, or remove the options",
        )
    twice = [word for word in field.options if field.options.count(word) > 1]
    if twice:
        report.at_key("hub", (*path, "options"), Code.TWICE, f"the option `{twice[0]}` is listed twice")


def _survivorship(report: Report, kind: Kind, name: str, rule: SurvivorshipRule) -> None:
    table = report.config.fields[kind]
    written = name if report.has("hub", kind.value, "survivorship", name) else f"{name}[]"
    path = (kind.value, "survivorship", written)
    if name == "default":
        return
    parts = [one for one in table if one.startswith(f"{name}.")]
    if name not in table and not parts:
        report.at_key(
            "hub",
            path,
            Code.FIELD,
            f"no {kind} has a field `{written}`",
            hint=field_hint(written, table),
            remedy="`trueup config fields` lists them; add your own under custom_fields",
        )
        return
    if rule.group and not parts:
        report.at_key(
            "hub",
            (*path, "group"),
            Code.TYPE,
            f"`{name}` has no parts that could survive together",
            allowed=listed(_groups(table)),
        )
    _strategy(report, path, name, table, rule)


def _strategy(
    report: Report, path: tuple[str, ...], name: str, table: Mapping[str, Field], rule: SurvivorshipRule
) -> None:
    field = table.get(name)
    if field is None:
        return
    wrong = ""
    if rule.strategy is Strategy.UNION and not field.type.is_set:
        wrong = f"`union` joins sets, and `{name}` holds one value"
    elif rule.strategy in (Strategy.MAX, Strategy.MIN) and field.type not in _ORDERED:
        wrong = f"`{rule.strategy}` needs numbers or dates, and `{name}` is a {field.type}"
    elif rule.strategy is Strategy.FURTHEST and name != "stage":
        wrong = "`furthest` is for the stage only"
    elif rule.strategy is Strategy.MOST_RESTRICTIVE and field.type is not Type.BOOL:
        wrong = "`most_restrictive` is for consent, which needs no rule, and for yes-or-no fields"
    if wrong:
        report.at_value("hub", (*path, "strategy"), Code.TYPE, wrong, allowed=listed(_fitting(field)))
    if rule.on_clash and not field.type.is_set:
        report.at_key(
            "hub", (*path, "on_clash"), Code.TYPE, f"`on_clash` is for sets, and `{name}` holds one value"
        )


def _fitting(field: Field) -> Iterable[str]:
    words = ["authority", "latest", "most_complete", "first"]
    words += ["union"] if field.type.is_set else []
    return [*words, *(["max", "min"] if field.type in _ORDERED else [])]


def _groups(table: Mapping[str, Field]) -> Iterable[str]:
    return dict.fromkeys(field.group for field in table.values() if field.group)


def _vetoes(report: Report) -> None:
    table = report.config.fields[Kind.CONTACT]
    for position, name in enumerate(report.config.dedupe.vetoes):
        if name not in table:
            report.at_value(
                "dedupe",
                ("vetoes", position),
                Code.FIELD,
                f"no contact has a field `{name}`",
                hint=field_hint(name, table),
            )


_MEANT = {
    "zip": "address.postcode", "postal_code": "address.postcode", "postcode": "address.postcode",
    "city": "address.city", "street": "address.street", "country": "address.country",
    "region": "address.region",
    "state": "address.region", "address": "address.street", "mobile": "phones.mobile", "fax": "phones.fax",
    "mobile_phone": "phones.mobile", "surname": "last_name", "given_name": "first_name", "name": "full_name",
    "title": "job_title", "position": "job_title", "email_address": "email", "birthdate": "birthday",
    "date_of_birth": "birthday", "dob": "birthday", "lifecycle_stage": "stage", "status": "stage",
    "account": "company", "company_name": "company.name", "lead_score": "score", "lead_source": "source",
}  # fmt: skip


def field_hint(name: str, table: Mapping[str, Field]) -> str:
    """What was probably meant by the name of a field that does not exist."""
    labels = {one: field.label or one.replace("_", " ").replace(".", " ") for one, field in table.items()}
    usual = _MEANT.get(re.sub(r"\W+", "_", name.strip().lower()))
    if usual in table and usual != name:
        return f"the field's name is `{usual}`"
    return hint_for(name.removesuffix("[]"), table, labels)
