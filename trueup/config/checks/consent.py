"""Consent blocks: only a stated sign of an opt-out, or an opt-in with evidence, may mean anything."""

from __future__ import annotations

from trueup.config.checks.report import Report
from trueup.config.codes import Code
from trueup.config.nodes import Step, Table
from trueup.config.suggest import hint_for, listed
from trueup.config.vocabulary import CHANNELS, PURPOSES
from trueup.mapping.schema import ConsentRule, ObjectRules, Shape
from trueup.model.fields import Kind

_PLACES = ("field", "tag", "subscription", "list")


def check_consent(report: Report, file: str, rules: ObjectRules) -> None:
    for rule in rules.consent:
        path: tuple[Step, ...] = ("objects", rules.name, "consent", f"{rule.channel}.{rule.purpose}")
        if rule.origin == "default" or not report.has(file, *path):
            continue
        if rules.kind is not Kind.CONTACT:
            report.at_key(
                file, path, Code.CONSENT, f"consent belongs to contacts, and `{rules.name}` holds none"
            )
            return
        _name(report, file, path, rule)
        _place(report, file, path, rule)
        _sign(report, file, path, rule)


def _name(report: Report, file: str, path: tuple[Step, ...], rule: ConsentRule) -> None:
    if rule.channel not in CHANNELS or not rule.purpose:
        shown = str(path[-1])
        report.at_key(
            file,
            path,
            Code.CONSENT,
            f"`{shown}` is not a channel and a purpose",
            hint=hint_for(rule.channel, CHANNELS) if rule.channel not in CHANNELS else "",
            allowed=f"CHANNEL.PURPOSE, as email.marketing; channels: {listed(CHANNELS)}",
        )
    elif rule.purpose not in PURPOSES:
        report.at_key(
            file,
            path,
            Code.CONSENT,
            f"`{rule.purpose}` is not a purpose",
            hint=hint_for(rule.purpose, PURPOSES),
            allowed=listed(PURPOSES),
        )


def _place(report: Report, file: str, path: tuple[Step, ...], rule: ConsentRule) -> None:
    node = report.node(file, *path)
    said = (
        [entry.key.text for entry in node.entries if entry.key.text in _PLACES]
        if isinstance(node, Table)
        else []
    )
    if not said:
        report.at_key(
            file,
            path,
            Code.CONSENT,
            "consent: where is it kept?",
            remedy="add one of `field:`, `tag:`, `subscription:`, `list:`",
        )
    elif len([word for word in said if word != "field"]) > 1:
        report.at_key(
            file,
            path,
            Code.CONSENT,
            f"consent: it is kept in one place, and here are {listed(said)}",
            remedy="keep one",
        )


def _sign(report: Report, file: str, path: tuple[Step, ...], rule: ConsentRule) -> None:
    """What means an opt-out."""
    node = report.node(file, *path)
    if not isinstance(node, Table):
        return
    said = node.entry("opted_out")
    bare_field = (
        rule.shape is Shape.VALUE and node.entry("field") is not None and node.entry("subscription") is None
    )
    if bare_field and said is None and not rule.evidence:
        report.at_key(
            file,
            path,
            Code.CONSENT,
            f"consent: which value of `{rule.remote}` means opted out?",
            remedy="add `opted_out: true` (or the value that the system uses)",
        )
    if rule.shape is Shape.ELEMENT and said is not None and rule.opted_out != "present":
        absent = rule.opted_out == "absent"
        report.at_value(
            file,
            (*path, "opted_out"),
            Code.CONSENT,
            "consent: being absent is not an opt-out"
            if absent
            else "consent: a tag or list is there or it is not",
            allowed="present",
            remedy="name a tag or list whose presence means that the person opted out",
        )
