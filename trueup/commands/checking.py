"""`check`: is the configuration right, what does it cost, and do the systems agree with it?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from trueup.commands.answer import CONFIGURATION, FINE, Answer, Shown, config_flag
from trueup.commands.complaints import problem_document
from trueup.commands.desk import Desk, Reality, command
from trueup.model.counting import counted

if TYPE_CHECKING:
    from trueup.config.without_consent import WithoutConsent
    from trueup.model.record import Json
    from trueup.services.checking import Checked, Live


def add(app: typer.Typer) -> None:
    command(app, "check", examples=("", "--live"))(check)


def check(
    desk: Desk,
    live: Annotated[
        bool,
        typer.Option("--live", help="Ask the systems too: credentials, permissions, fields, lists, lengths."),
    ] = False,
) -> Answer:
    """Check the files: all problems at once, each with its line and what to write.

    Then run the golden records of examples.yaml, tell which lines nothing acts on yet, and what the
    configuration costs in calls a day. With `--live` every mapped field is compared with what the systems
    say of themselves today; that reads only.
    """
    from trueup.commands.opening import environment_for
    from trueup.services.checking import check_files, check_systems

    checked = check_files(desk.folder, environment_for(desk.folder, desk.reality))
    asked: Live | None = None
    if live and checked.config is not None and not checked.problems:
        with desk.hub() as hub:
            asked = check_systems(hub)
    wrong = bool(checked.problems or checked.failed_examples or (asked and asked.problems))
    return Answer(_document(checked, asked), _shown(desk, checked, asked), CONFIGURATION if wrong else FINE)


def _shown(desk: Desk, checked: Checked, asked: Live | None) -> list[Shown]:
    accounts = asked.accounts if asked is not None else {}
    problems = _problem_lines(checked, asked)
    parts: tuple[Sequence[Shown], ...] = (
        problems,
        _example_lines(checked),
        *(() if problems else _worth_knowing(checked, asked)),
        [f"{name}: logged in as {account}" for name, account in accounts.items()],
        _verdict(desk, checked, asked),
    )
    return [line for part in parts if part for line in ("", *part)][1:]


def _worth_knowing(checked: Checked, asked: Live | None) -> tuple[Sequence[Shown], ...]:
    """What is no mistake: it would only hide one that stands above it."""
    return (
        _unlisted(checked),
        _without_consent_lines(checked),
        [str(one) for one in checked.unmapped],
        _inactive_lines(checked),
        _unkeyed_lines(checked),
        _unheard_lines(checked, asked),
        _turned(checked, asked),
        _idle_lines(checked),
        _cost_lines(checked),
    )


def _problem_lines(checked: Checked, asked: Live | None) -> list[str]:
    problems = [*checked.problems, *(asked.problems if asked else ())]
    return [line for problem in problems for line in ("", *str(problem).splitlines())][1:]


def _example_lines(checked: Checked) -> list[Shown]:
    if not checked.examples:
        return []
    good = len(checked.examples) - len(checked.failed_examples)
    lines: list[Shown] = [f"Examples: {good} of {len(checked.examples)} as expected."]
    for one in checked.failed_examples:
        lines += [f"  {one.origin}  {one.name}  [TU-CFG-076]", *(f"      {miss}" for miss in one.misses)]
    return lines


def _inactive_lines(checked: Checked) -> list[Shown]:
    if not checked.inactive:
        return []
    return ["Checked, but nothing acts on these lines yet:", *(f"  {line}" for line in checked.inactive)]


def _unlisted(checked: Checked) -> list[str]:
    from trueup.config.unlisted import unlisted

    return list(unlisted(checked.config)) if checked.config is not None else []


def _without_consent_lines(checked: Checked) -> list[Shown]:
    return [str(one) for one in _without_consent(checked)]


def _without_consent(checked: Checked) -> list[WithoutConsent]:
    from trueup.config.without_consent import without_consent

    return list(without_consent(checked.config)) if checked.config is not None else []


def _unkeyed_lines(checked: Checked) -> list[Shown]:
    return [
        f"{name} {object}: no column identifies a row (`key:`), so an edited row is found again by what "
        "stayed the same in it; where that is too little, it is a deleted row and a new one"
        for name, object in checked.unkeyed
    ]


def _unheard_lines(checked: Checked, asked: Live | None) -> list[Shown]:
    """Words that opt nobody out; with `--live` also those that no row holds: a slip, or nobody yet."""
    told = [one.others_told() for one in checked.unheard]
    told += [one.absent_told() for one in checked.unheard] if asked is not None else []
    return [line for line in told if line]


def _turned(checked: Checked, asked: Live | None) -> list[Shown]:
    """Whole names that look as if they began with the family name; with `--live`, seen with all systems."""
    return list(asked.turned if asked is not None else checked.turned)


def _idle_lines(checked: Checked) -> list[Shown]:
    return [
        f"{counted(number, 'link')} of `{name}` {'is' if number == 1 else 'are'} now idle: nothing was "
        f"changed there. `trueup connections rename` or `remove` says what becomes of them"
        for name, number in sorted(checked.idle.items())
    ]


def _cost_lines(checked: Checked) -> list[Shown]:
    lines = [f"  {'warning: ' if line.warns else ''}{line}" for line in checked.budgets]
    return ["Calls a day:", *lines] if lines else []


_WITHOUT_SECRETS = (
    "All secrets are missing still. `--sandbox` needs none, the systems are imitated there:"
    " trueup check{where} --sandbox, then trueup sandbox{where}"
)


def _verdict(desk: Desk, checked: Checked, asked: Live | None) -> list[Shown]:
    problems = len(checked.problems) + (len(asked.problems) if asked else 0)
    if problems:
        without = (
            [_WITHOUT_SECRETS.format(where=config_flag(desk.folder))]
            if checked.lacks_all_secrets and desk.reality is Reality.REAL
            else []
        )
        return [f"{counted(problems, 'problem')}. `trueup explain CODE` tells more about each.", *without]
    if checked.failed_examples:
        return [
            f"The files are right, but {counted(len(checked.failed_examples), 'example')} came out otherwise."
        ]
    config = checked.config
    assert config is not None
    names = ", ".join(config.connections) or "no connection"
    said = f"The configuration is right: {config.hub.name} with {names}."
    if asked is None:
        return [said, "Next: trueup check --live"]
    return [f"{said} The systems agree with it.", "Next: trueup plan"]


def _document(checked: Checked, asked: Live | None) -> Json:
    return {
        "right": not (checked.problems or checked.failed_examples or (asked and asked.problems)),
        "problems": [
            problem_document(one) for one in (*checked.problems, *(asked.problems if asked else ()))
        ],
        "inactive": [
            {"file": one.file, "line": one.line, "what": one.what, "why": one.why} for one in checked.inactive
        ],
        "examples": [
            {"name": one.name, "origin": one.origin, "misses": list(one.misses)} for one in checked.examples
        ],
        "idle_links": dict(checked.idle),
        "unmapped": [
            {"file": one.file, "line": one.line, "fields": list(one.fields)} for one in checked.unmapped
        ],
        "unlisted": _unlisted(checked),
        "without_consent": [one.connection for one in _without_consent(checked)],
        "without_key": [{"connection": name, "object": object} for name, object in checked.unkeyed],
        "opt_out_words": [
            {
                "connection": one.connection,
                "object": one.object,
                "column": one.column,
                "not_named": dict(one.others),
                "in_no_row": list(one.absent),
            }
            for one in checked.unheard
        ],
        "family_name_first": _turned(checked, asked),
        "calls": [
            {
                "connection": one.connection,
                "at_rest": one.at_rest,
                "at_1000_changes": one.at_thousand,
                "limit": one.limit,
                "share": one.share,
                "warns": one.warns,
            }
            for one in checked.budgets
        ],
        "accounts": dict(asked.accounts) if asked else {},
    }
