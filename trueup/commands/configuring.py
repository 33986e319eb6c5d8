"""`config` and `explain`: what can be written into the files, and what a message means."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trueup.commands.answer import Answer, Grid, Shown
from trueup.commands.desk import ALONE, Desk, Unusable, command
from trueup.errors import ConfigError
from trueup.model.counting import counted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trueup.model.fields import Field


def add(app: typer.Typer) -> None:
    config = typer.Typer(name="config", rich_markup_mode=None, no_args_is_help=True)

    @config.callback()
    def about() -> None:
        """What can be written into the configuration files."""

    command(config, "fields", examples=("", "phone", "--kind company"))(fields)
    command(config, "schema", examples=("--to schema",), common=ALONE)(schema)
    app.add_typer(config)
    command(app, "explain", examples=("TU-REF-001", ""), common=ALONE)(explain)


def fields(
    desk: Desk,
    word: Annotated[str, typer.Argument(metavar="[WORD]", help="Only fields whose name holds this.")] = "",
    kind: Annotated[
        str, typer.Option("--kind", metavar="KIND", help="contact, company, deal or user.")
    ] = "contact",
) -> Answer:
    """List the fields that mappings, conditions and survivorship can name.

    Custom fields of hub.yaml, and the consents that your connections keep, are among them when the files can
    be read.
    """
    table = _table(desk, kind)
    found = [field for name, field in table.items() if word.casefold() in name.casefold()]
    rows = [
        (one.name, one.type.value, one.strategy.value, _options(one.options), _remarks(one)) for one in found
    ]
    shown: list[Shown] = [Grid(("field", "type", "who wins", "words", "remarks"), rows)]
    if not found:
        shown = [f"No field of a {kind} has `{word}` in its name."]
    if kind == "contact" and word.casefold() in CONSENT:
        shown += _consent_lines()
    document = [
        {
            "field": one.name,
            "type": one.type.value,
            "strategy": one.strategy.value,
            "options": list(one.options),
            "custom": one.custom,
            "computed": one.derived,
            "confined_to": list(one.confined_to),
        }
        for one in found
    ]
    return Answer({"kind": kind, "fields": document}, shown)


CONSENT = "consent.channel.purpose"


def _consent_lines() -> list[str]:
    from trueup.config.vocabulary import CHANNELS, PURPOSES

    return [
        "",
        "A consent is called consent.CHANNEL.PURPOSE, and is listed where a connection keeps it. An opt-out",
        "of any can be entered: trueup contacts edit WHO consent.email.marketing=opted_out",
        f"  channels: {', '.join(CHANNELS)}",
        f"  purposes: {', '.join(PURPOSES)}",
    ]


def _table(desk: Desk, kind: str) -> Mapping[str, Field]:
    """The fields of a kind; of files that cannot be read those that there are without them."""
    from trueup.config.condition_names import consent_fields
    from trueup.model.fields import TABLES, Kind

    if kind not in {one.value for one in Kind}:
        raise Unusable(f"`{kind}` is none of {', '.join(one.value for one in Kind)}")
    try:
        config = desk.config()
    except ConfigError:
        return TABLES[Kind(kind)]
    consents = consent_fields(config) if kind == Kind.CONTACT else {}
    return {**config.fields[Kind(kind)], **consents}


def _options(options: tuple[str, ...]) -> str:
    return ", ".join(options[:8]) + (", …" if len(options) > 8 else "")


def _remarks(field: Field) -> str:
    words = []
    if field.custom:
        words.append("custom")
    if field.derived:
        words.append("computed")
    if field.confined_to:
        words.append(f"stays in {', '.join(field.confined_to)}")
    if field.refers is not None:
        words.append(f"a {field.refers.value}")
    return ", ".join(words)


def schema(
    desk: Desk,
    to: Annotated[Path, typer.Option("--to", metavar="DIR", help="The folder to write them to.")],
) -> Answer:
    """Write JSON Schemas of the files: editors complete and check with them while you type.

    A file says which one is its own in its first line: `# yaml-language-server: $schema=../schema/hub.json`.
    """
    from trueup.config.schema import write_schemas

    written = [str(path) for path in write_schemas(to)]
    return Answer({"written": written}, [f"{counted(len(written), 'schema')} written to {to}."])


def explain(
    desk: Desk,
    code: Annotated[
        str, typer.Argument(metavar="[CODE]", help="A code such as TU-REF-001; left out: all codes.")
    ] = "",
) -> Answer:
    """Say at length what a message means, what the hub did about it, and what to do."""
    from trueup.services.explain import all_codes, explained

    if not code:
        rows = [(name, one.title) for name, one in all_codes().items()]
        listed = [{"code": name, "title": title} for name, title in rows]
        return Answer({"codes": listed}, [Grid(("code", "means"), rows)])
    name, one = explained(code)
    document = {"code": name, "title": one.title, "what": one.what, "do": one.do}
    what = [one.what, ""] if one.what.rstrip(".") != one.title else []
    return Answer(document, [f"{name}  {one.title}", "", *what, f"What to do: {one.do}"])
