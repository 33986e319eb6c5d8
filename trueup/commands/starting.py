"""`init`, `sandbox`, `demo`: the first hour."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from trueup.commands.answer import Answer, Shown, config_flag
from trueup.commands.demo import demo
from trueup.commands.desk import ALONE, FILES, Desk, Unusable, command
from trueup.model.counting import counted

if TYPE_CHECKING:
    from trueup.services.initialise.answers import Wanted
    from trueup.services.initialise.beliefs import Column
    from trueup.services.initialise.tables import Table


def add(app: typer.Typer) -> None:
    command(
        app,
        "init",
        examples=("--name acme --region UA --connect sales=salesforce --connect shop=list.csv:operations",),
        common=FILES,
    )(init)
    command(app, "sandbox", examples=("", "--people 200"), common=FILES)(sandbox)
    command(app, "demo", examples=("", "--stay"), common=ALONE)(demo)


def init(
    desk: Desk,
    folder: Annotated[
        Path | None, typer.Argument(metavar="[DIR]", help="Where the files go; left out: ./config.")
    ] = None,
    name: Annotated[str | None, typer.Option("--name", help="The hub's name.")] = None,
    connect: Annotated[
        list[str] | None,
        typer.Option(
            "--connect",
            metavar="NAME=SYSTEM[:ROLE]",
            help="A system: sales=salesforce:sales. A table: sales=FILE.csv:sales. May be repeated.",
        ),
    ] = None,
    region: Annotated[
        str | None,
        typer.Option("--region", metavar="XX", help="The country of numbers without a country code."),
    ] = None,
) -> Answer:
    """Write the files of a new hub, with comments.

    Asks for roles, systems and names where a person can be asked and nothing was said by options. For a
    table (csv) it finds out encoding, delimiter and columns, and proposes the mapping from its headers.
    Never writes over a file.
    """
    from trueup.commands.asking_first import ask_for_systems
    from trueup.services.initialise.answers import checked_region, offered, region_of
    from trueup.services.initialise.files import files_of, write_files

    target = _target(desk, folder)
    said = [_wanted(text) for text in connect or ()]
    if not said:
        if not desk.asks:
            raise Unusable(
                "say what to connect: `--connect sales=salesforce:sales --connect shop=list.csv:operations`"
            )
        said = ask_for_systems(offered())
        name = name or typer.prompt("What is the hub called?", default=target.resolve().parent.name or "hub")
    region = region_of(os.environ) if region is None else checked_region(region)
    tables = _tables(said)
    called = _plain_name(name or target.resolve().parent.name)
    files = files_of(target, called, region, said, tables)
    written = write_files(target, files)
    return _told(target, [str(path) for path in written], said, tables)


def _target(desk: Desk, folder: Path | None) -> Path:
    """Where the files go: DIR, else what `--config` names, else ./config. Raises Unusable for two places."""
    said = None if desk.folder in (Path(), Path("config")) else desk.folder
    if folder is not None and said is not None and folder.resolve() != said.resolve():
        raise Unusable(f"`init {folder}` and `--config {said}` name two folders: leave one of them out")
    return folder or said or Path("config")


def _wanted(text: str) -> Wanted:
    """`sales=salesforce:sales`, or `shop=./customers.csv:operations`."""
    from trueup.config.checks.names import unfit_name
    from trueup.config.vocabulary import Role
    from trueup.services.initialise.answers import Wanted, checked_file, offered

    name, sign, rest = text.partition("=")
    what, colon, role = rest.rpartition(":")
    if not colon or role not in {one.value for one in Role}:
        what, role = rest, ""
    if not sign or not name or not what:
        raise Unusable(f"`{text}` is not NAME=SYSTEM[:ROLE], such as sales=salesforce:sales")
    if unfit := unfit_name(name):
        raise Unusable(f"`--connect {text}`: {unfit[0]}; give it another name")
    if what in offered() and what != "csv":
        return Wanted(name, what, _role(name, role, what))
    return Wanted(name, "csv", _role(name, role, "csv"), checked_file(what))


def _role(name: str, said: str, connector: str):  # type: ignore[no-untyped-def]
    """The role as said; else the one that the name or the kind of system suggests."""
    from trueup.config.vocabulary import Role

    usual = {"hubspot": Role.MARKETING, "salesforce": Role.SALES}
    if said:
        return Role(said)
    if name in {one.value for one in Role}:
        return Role(name)
    return usual.get(connector, Role.OPERATIONS)


def _tables(wanted: list[Wanted]) -> dict[str, Table]:
    from trueup.services.initialise.tables import look_at
    from trueup.services.system import SystemClock

    return {one.name: look_at(one.path, SystemClock()) for one in wanted if one.path is not None}


def _plain_name(text: str) -> str:
    from trueup.services.initialise.answers import usable_name

    return usable_name(text)


def _told(target: Path, written: list[str], wanted: list[Wanted], tables: dict[str, Table]) -> Answer:
    from trueup.services.initialise.beliefs import authority_of, columns_apart, names_turned
    from trueup.services.initialise.files import perhaps_lines

    shown: list[Shown] = [f"Written: {', '.join(written)}"]
    for name, table in tables.items():
        mapped = ", ".join(f"{column} = {field}" for field, column in table.fields.items())
        shown += ["", f"{name}: {table.path.name}, {table.encoding}, {counted(len(table.columns), 'column')}"]
        shown += [f"  recognised: {mapped}"]
        shown += [f"  rows are told apart by: {table.key}"] if table.key is not None else []
        shown += _consent_lines(table)
        shown += [f"  left out:   {', '.join(table.left)}"] if table.left else []
        shown += [f"    {line}" for line in perhaps_lines(table)]
    shown += [line for said in names_turned(tables).values() for line in ("", said)]
    shown += _apart_lines(target, tables)
    shown += _believed_lines(target, wanted, tables)
    where = config_flag(target)
    steps = [f"trueup check{where}", f"trueup plan{where}", f"trueup sync{where} --approve-first"]
    if len(tables) < len(wanted):
        steps[0] = f"fill in {target}/.env (from .env.example), then: trueup check{where} --live"
    shown += ["", "Next:", *(f"  {step}" for step in steps)]
    document = {
        "written": written,
        "connections": [
            {"name": one.name, "connector": one.connector, "role": one.role.value} for one in wanted
        ],
        "tables": {
            name: {
                "encoding": one.encoding,
                "delimiter": one.delimiter,
                "key": one.key,
                "fields": dict(one.fields),
                "consent": _consent_document(one),
                "left_out": list(one.left),
                "may_tell_of_consent": [
                    {"column": each.column, "holds": list(each.held), "opted_out": list(each.words)}
                    for each in one.perhaps
                ],
            }
            for name, one in tables.items()
        },
        "believed": authority_of(wanted, tables),
        "apart": [
            [{"table": one.table, "column": one.column, "field": one.field} for one in pair]
            for pair in columns_apart(tables)
        ],
        "family_name_first": names_turned(tables),
        "next": steps,
    }
    return Answer(document, shown)


def _apart_lines(target: Path, tables: Mapping[str, Table]) -> list[Shown]:
    """Numbers that stay where they are, though a column beside them looks alike."""
    from trueup.services.initialise.beliefs import columns_apart

    lines: list[Shown] = [
        f"  {_column(mine)} and {_column(theirs)} are two fields: no number goes from one table to the other."
        for mine, theirs in columns_apart(tables)
    ]
    then = f"  If they mean the same, give both one field in {target / 'connections'}."
    return ["", *lines, then] if lines else []


def _column(one: Column) -> str:
    return f"{one.table} `{one.column}` = {one.field}"


def _believed_lines(target: Path, wanted: Sequence[Wanted], tables: Mapping[str, Table]) -> list[Shown]:
    """Whose value stands in the end, where somebody else says another."""
    from trueup.services.initialise.beliefs import believed

    if len(wanted) < 2:
        return []
    said = believed(wanted, tables)
    return [
        "",
        f"Where they differ, this one is believed: {said}.",
        f"  It stands in {target / 'hub.yaml'}, `authority`: turn the list round for another order.",
    ]


def _consent_lines(table: Table) -> list[Shown]:
    return [
        f"  consent:    {one.column} = {one.consent}, where {_words(one.words)} is an opt-out"
        for one in table.opt_outs
    ]


def _words(words: Sequence[str]) -> str:
    return " or ".join(f"`{word}`" for word in words)


def _consent_document(table: Table) -> list[Mapping[str, Any]]:
    return [
        {"consent": one.consent, "column": one.column, "opted_out": list(one.words)} for one in table.opt_outs
    ]


def sandbox(
    desk: Desk,
    people: Annotated[
        int, typer.Option("--people", min=0, metavar="N", help="How many people there are.")
    ] = 1000,
    seed: Annotated[
        int, typer.Option("--seed", metavar="N", help="The same seed makes the same people.")
    ] = 1,
) -> Answer:
    """Start imitations of the configured systems on this machine, filled with people, and keep them running.

    Then, in another terminal: `trueup check --live --sandbox`, `trueup plan --sandbox`,
    `trueup sync --sandbox`. The configuration stays as it is; nothing leaves this machine. The hub's memory
    of the sandbox is apart from the real one. Ends with Ctrl-C.
    """
    from trueup.commands.sandboxing import serve

    return serve(desk, people, seed)
