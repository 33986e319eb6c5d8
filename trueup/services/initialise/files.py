"""The files of a new hub, with comments."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from trueup.config.systems import System
from trueup.errors import NotFound, TrueupError
from trueup.model.counting import counted
from trueup.services.initialise.answers import Wanted, offered
from trueup.services.initialise.beliefs import authority_of, believed
from trueup.services.initialise.consent import OptOut, Perhaps
from trueup.services.initialise.tables import Table


class HubExists(TrueupError):
    """There are configuration files already; nothing was written."""

    code = "TU-INI-001"
    exit_code = 2


def files_of(
    folder: Path, name: str, region: str, wanted: Sequence[Wanted], tables: Mapping[str, Table]
) -> dict[str, str]:
    """Path below the hub's folder to text, for every file. Raises NotFound for no such system."""
    files = {"hub.yaml": _hub(name, region, wanted, tables)}
    for one in wanted:
        system = offered().get(one.connector)
        if system is None:
            raise NotFound(f"there is no system `{one.connector}`; there are {', '.join(offered())}")
        text = _table_file(one, tables[one.name], folder) if one.name in tables else _system_file(one, system)
        files[f"connections/{one.name}.yaml"] = text
    secrets = [line for one in wanted for line in _secret_lines(one, offered()[one.connector], tables)]
    if secrets:
        files[".env.example"] = "\n".join(["# copy to .env, fill in, then: chmod 600 .env", *secrets, ""])
    files[".gitignore"] = ".env\n.sandbox/\ntrueup.sqlite*\ntrueup-errors.log\n"
    return files


def write_files(folder: Path, files: Mapping[str, str]) -> list[Path]:
    """Write them. Raises HubExists when one of them is there already: nothing was written then."""
    taken = [name for name in files if name != ".gitignore" and (folder / name).exists()]
    if taken:
        raise HubExists(
            f"{folder} holds {', '.join(taken)} already; nothing was written. A new hub goes to a folder"
            " of its own: `trueup init DIR`; to connect one more system, add its file to connections/"
        )
    written = []
    for name, text in files.items():
        path = folder / name
        if path.exists():
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        written.append(path)
    return written


def _hub(name: str, region: str, wanted: Sequence[Wanted], tables: Mapping[str, Table]) -> str:
    order = ", ".join(one.name for one in wanted)
    phone = f"phone_region: {region}                # for numbers written without a country code"
    if not region:
        phone = "# phone_region: DE             for numbers written without a country code"
    return f"""\
# The hub: what holds for every connection. `trueup check` says what is wrong, with the line.
name: {name}
time_zone: UTC
{phone}
connections: [{order}]

contact:
  survivorship:                 # which value wins where systems differ; one rule per field
    # Believed first: {believed(wanted, tables)}.
    # Turn the list round for another order; a line such as `job_title: {{authority: [marketing, sales]}}`
    # says it for one field.
    default: {{authority: [{", ".join(authority_of(wanted, tables))}]}}
    tags: {{strategy: union}}     # removals travel too
    interests: {{strategy: union}}

first_load: fill                # until a connection is released: fill empty fields, report differing ones
fuses:                          # beyond the smaller of the two a run is held until someone approves it;
                                # a share lets 20 go at least
  create: {{count: 2000}}
  change: {{count: 5000, share: 20%}}
  clear: {{count: 100, share: 1%}}
"""


def _table_file(one: Wanted, table: Table, folder: Path) -> str:
    """The connection of a table: every recognised column mapped, the others named in a comment."""
    lines = [
        f"# {table.path.name}: {counted(len(table.columns), 'column')}, read as {table.encoding}, "
        f"separated by {_sign(table.delimiter)}.",
        f"connector: csv\nrole: {one.role.value}",
        _path_line(_seen_from(folder, table.path)),
        "objects:",
        "  contacts:",
        "    entity: contact",
    ]
    if table.key is not None:
        lines.append(f"    key: {_quoted(table.key)}                 # identifies a row")
        lines.append("    # create: 'true'    no row is added: whoever owns the file gives the keys")
    else:
        lines += [
            "    # key: COLUMN      no column surely identifies a row for ever, so a row is known by",
            "    #                  its content: an edited one is found again by what stayed the same",
            "    #                  in it; where that is too little, it is a deleted row and a new one.",
            "    #                  A column of numbers is surer: name it here.",
        ]
        lines.append(
            "    create: 'true'              # contacts of other systems are added as rows; left out: never"
        )
    if table.opt_outs:
        lines += [
            "    consent:                    # the word that means: no more of it",
            *_consent_lines(table),
        ]
    elif not table.perhaps:
        lines += _consent_comment(("email.marketing: {field: COLUMN, opted_out: WORD}",))
    lines += ["    fields:                     # the contact's field: the column", *_field_lines(table)]
    if table.left:
        lines.append(
            f"    # not mapped: {', '.join(table.left)}  (`trueup config fields` lists the contact's fields)"
        )
    lines += [f"    # {line}" for line in perhaps_lines(table)]
    return "\n".join(lines) + "\n"


def perhaps_lines(table: Table) -> list[str]:
    """That columns may tell of consent, and the lines to write if they do; nothing where none may."""
    if not table.perhaps:
        return []
    where = "below `consent:`" if table.opt_outs else "beside `fields:`"
    return [
        *(_perhaps(one) for one in table.perhaps),
        f"Nobody is opted out by that. Where it is so, write {where}, with each word that means no",
        '(several: ["A", "B"]):',
        "consent:",
        *(
            f"  {one.consent}: {{field: {_quoted(one.column)}, opted_out: {_said(one)}}}"
            for one in table.perhaps
        ),
    ]


def _perhaps(one: Perhaps) -> str:
    holds = f"; it holds {', '.join(f'`{word}`' for word in one.held)}" if one.held else ""
    what = _CHANNELS.get(one.consent.partition(".")[0], "messages")
    return f"`{' '.join(one.column.split())}` may tell who wants no more {what}{holds}"


_CHANNELS = {"email": "mail", "phone": "calls", "sms": "SMS"}


def _said(one: OptOut | Perhaps) -> str:
    """The words that mean no as a value of YAML; a placeholder where none is known."""
    words = [_quoted(word) for word in one.words] or ['"WORD"']
    return words[0] if len(words) == 1 else f"[{', '.join(words)}]"


def _path_line(path: str) -> str:
    said = f"options: {{path: {_quoted(path)}}}"
    return said if Path(path).is_absolute() else f"{said}   # from the folder of hub.yaml"


def _seen_from(folder: Path, path: Path) -> str:
    """The path of a table from the hub's folder, where it lies in there or beside it: both can be moved
    together then. Elsewhere its whole path."""
    home = folder.resolve()
    if not path.is_relative_to(home.parent):
        return str(path)
    return Path(os.path.relpath(path, home)).as_posix()


def _field_lines(table: Table) -> list[str]:
    lines = []
    for name, column in table.fields.items():
        how = table.turned.get(name)
        said = f"{{field: {_quoted(column)}, transform: {how}}}" if how else _quoted(column)
        lines.append(f"      {name}: {said}")
    return lines


def _consent_lines(table: Table) -> Iterator[str]:
    for one in table.opt_outs:
        yield f"      {one.consent}: {{field: {_quoted(one.column)}, opted_out: {_said(one)}}}"


def _sign(delimiter: str) -> str:
    return {"\t": "tabs", ";": "semicolons", ",": "commas", "|": "bars"}.get(delimiter, delimiter)


def _quoted(text: str) -> str:
    """A YAML text that nothing in it can spoil."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _system_file(one: Wanted, system: System) -> str:
    """The connection of a known system: it works with the default mapping; who is created is to be said."""
    kind = system.auth[0] if system.auth else ""
    lines = [f"# {system.title}. What is not said here comes from the default mapping:"]
    lines.append(f"# `trueup connections show {one.name}` prints the whole.")
    lines.append(f"connector: {one.connector}\nrole: {one.role.value}\nauth:")
    if kind:
        lines.append(f"  kind: {kind}")
    lines += [_auth_line(one, name, system) for name in _needed(one.connector, system)]
    lines.append("schedule: {every: 5m}")
    if system.open and not system.mapping:
        lines += ["objects:", "  customers:                    # a table or view: name it, and its columns"]
        lines += ["    entity: contact", "    key: id", *_consent_comment(_ANY_FIELD)]
        lines += ["    fields:", "      email: email"]
        return "\n".join(lines) + "\n"
    objects = [
        name for name, said in system.mapping.items() if not said.off and (said.entity or "") == "contact"
    ]
    if objects:
        lines += ["objects:", f"  {objects[0]}:"]
        lines += [
            "    # Which contacts may be created there; left out: none. A condition on the stage",
            '    # (`stage == "lead"`) is true of nobody until a connection maps `stage:`.',
            "    # create: email != null",
            "    entity: contact",
        ]
        said = system.mapping[objects[0]]
        lines += _consent_comment(said.consent_example or _ANY_FIELD) if not said.consent else []
    return "\n".join(lines) + "\n"


_ANY_FIELD = ("email.marketing: {field: no_mail, opted_out: true}",)


def _consent_comment(example: Sequence[str]) -> list[str]:
    """Where nothing says what an opt-out looks like: what to write, and what holds until then."""
    return [
        "    # Until this says where opt-outs are kept, none comes from here and none gets here;",
        "    # `consent: none` says that nothing is sent from here. For example:",
        "    # consent:",
        *(f"    #   {line}" for line in example),
    ]


def _needed(connector: str, system: System) -> list[str]:
    """The settings of the first way to sign in."""
    from trueup.connectors.manifest import placeholders
    from trueup.connectors.registry import connector_kind

    kind = connector_kind(connector)
    manifest = kind.manifest
    if manifest is None:
        return list(kind.sign_in.keys)
    words = placeholders(manifest.auth[0].model_dump()) if manifest.auth else set()
    words |= placeholders(manifest.base_url)
    settings = manifest.settings
    return [
        name for name in settings if (name in words or settings[name].required) and not settings[name].default
    ]


def _auth_line(one: Wanted, name: str, system: System) -> str:
    setting = system.settings.get(name)
    help = f"   # {' '.join(setting.help.split())}" if setting and setting.help else ""
    return f"  {name}: ${{env:{_variable(one, name)}}}{help}"


def _variable(one: Wanted, name: str) -> str:
    return re.sub(r"\W", "_", f"{one.name}_{name}").upper()


def _secret_lines(one: Wanted, system: System, tables: Mapping[str, Table]) -> list[str]:
    if one.name in tables:
        return []
    return [f"{_variable(one, name)}=" for name in _needed(one.connector, system)]
