"""Lists of objects: `item`, which says where an item holds what, and `kinds`, its words."""

from __future__ import annotations

from trueup.config.checks.report import Report
from trueup.config.codes import Code
from trueup.config.nodes import Step
from trueup.config.suggest import hint_for, listed
from trueup.mapping.schema import POSTAL, FieldRule, Shape
from trueup.model.fields import KINDS

_PARTS = ("value", "kind", "label", "primary", "id", *POSTAL)
_BY_PARTS = "addresses"


def check_items(report: Report, file: str, path: tuple[Step, ...], rule: FieldRule) -> None:
    """Everything that can be wrong with the two keys of one rule, each at its own line."""
    if rule.item is None:
        if report.has(file, *path, "kinds"):
            report.at_key(
                file,
                (*path, "kinds"),
                Code.MAPPING,
                "`kinds` is for lists of objects",
                remedy="say with `item:` where an item holds its value and its kind, or remove this line",
            )
        return
    if rule.field not in KINDS:
        _not_here(report, file, path, rule)
        return
    if rule.shape in (Shape.VALUE, Shape.ELEMENT):
        report.at_value(
            file,
            (*path, "shape"),
            Code.MAPPING,
            f"a list of objects is no `{rule.shape}`",
            allowed="list (replaced whole), elements (changed one by one)",
        )
    _element(report, file, path, rule)
    _kinds(report, file, path, rule)
    _twice(report, file, path, rule)


def _not_here(report: Report, file: str, path: tuple[Step, ...], rule: FieldRule) -> None:
    where = (*path, "item") if report.has(file, *path, "item") else path
    report.at_key(
        file,
        where,
        Code.MAPPING,
        f"`item` is for lists of objects, and `{rule.field}` is no set whose elements have a kind",
        allowed=listed([f"{many}[]" for many in KINDS]),
    )


def _element(report: Report, file: str, path: tuple[Step, ...], rule: FieldRule) -> None:
    """Whether the item says where the element is: its value, or the parts of a postal address."""
    item = rule.item
    assert item is not None
    postal = rule.field == _BY_PARTS
    for part in ("value",) if postal else POSTAL:
        if getattr(item, part):
            message = (
                "a postal address is mapped by its parts, not as" if postal else "only postal addresses have"
            )
            report.at_key(
                file,
                (*path, "item", part),
                Code.MAPPING,
                f"{message} `{part}`",
                allowed=listed(POSTAL if postal else ["value"]),
            )
    wanted = POSTAL if postal else ("value",)
    if not any(getattr(item, part) for part in wanted) or (item.line2 and not item.street):
        report.at_key(
            file,
            (*path, "item"),
            Code.MISSING,
            f"`item` does not say where it holds its element: `{'street' if postal else 'value'}` is missing",
            allowed=listed(wanted),
        )


def _kinds(report: Report, file: str, path: tuple[Step, ...], rule: FieldRule) -> None:
    item, said = rule.item, (*path, "kinds")
    if item is None or not item.kinds:
        return
    if not item.kind:
        report.at_key(
            file,
            said,
            Code.MAPPING,
            "`kinds` has no use without the place of the kind",
            remedy="add `kind:` to `item`, or remove this line",
        )
    for kind in item.kinds:
        if kind not in KINDS[rule.field]:
            report.at_key(
                file,
                (*said, kind),
                Code.VALUES,
                f"`{kind}` is no kind of `{rule.field}[]`",
                hint=_fax(kind) or hint_for(kind, KINDS[rule.field]),
                allowed=listed(KINDS[rule.field]),
            )
    _ambiguous(report, file, said, item.kinds)


def _fax(kind: str) -> str:
    return "a fax is no number of a person: map `phones.fax` by itself" if kind == "fax" else ""


def _ambiguous(report: Report, file: str, said: tuple[Step, ...], kinds: object) -> None:
    seen: dict[str, str] = {}
    for kind, words in kinds.items() if isinstance(kinds, dict) else ():
        for word in words:
            first = seen.setdefault(str(word).casefold(), kind)
            if first != kind:
                report.at_value(
                    file,
                    (*said, kind),
                    Code.VALUES,
                    f"`{word}` means both `{first}` and `{kind}`",
                    remedy="list it once: of a list the first is written, all are read",
                )


def _twice(report: Report, file: str, path: tuple[Step, ...], rule: FieldRule) -> None:
    """Two parts of an item at one place."""
    seen: dict[str, str] = {}
    for part in _PARTS:
        place = getattr(rule.item, part)
        first = seen.setdefault(place, part) if place else part
        if first != part:
            report.at_value(
                file,
                (*path, "item", part),
                Code.TWICE,
                f"`{place}` is both `{first}` and `{part}` of an item",
                remedy="keep one of the two",
            )
