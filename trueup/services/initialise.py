"""A new hub: files with comments, from a few answers; a mapping of tables is proposed from their headers."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path

from phonenumbers import SUPPORTED_REGIONS

from trueup.config.load import country_hint
from trueup.config.settings import DEFAULT_AUTHORITY
from trueup.config.suggest import hint_for
from trueup.config.systems import System, registered_systems
from trueup.config.vocabulary import CONTROL, Role
from trueup.connectors.csv.connector import CsvConnector
from trueup.connectors.csv.dialect import delimiter_of, encoding_of
from trueup.connectors.csv.settings import AUTO
from trueup.errors import ConnectorError, NotFound, TrueupError
from trueup.model.counting import counted
from trueup.model.record import Json, Reading
from trueup.ports import Clock
from trueup.services.headers import KEY, consent_of, field_of, is_id_like


class HubExists(TrueupError):
    """There are configuration files already; nothing was written."""

    code = "TU-INI-001"
    exit_code = 2


class NoRegion(TrueupError):
    """A country that numbers cannot be of."""

    code = "TU-INI-003"
    exit_code = 2


class NoTable(TrueupError):
    """A file that is no table, or one in which no column could be recognised."""

    code = "TU-INI-002"
    exit_code = 2


@dataclass(frozen=True, slots=True)
class Wanted:
    """One system to connect. `path`: for a table, the file."""

    name: str
    connector: str
    role: Role
    path: Path | None = None


@dataclass(frozen=True, slots=True)
class OptOut:
    """A column that tells of consent (`email.marketing`), and the words in it that mean opted out."""

    consent: str
    column: str
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """What a table is made of. `fields`: contact field to column; `turned`: field to transform.

    `key` identifies a row, None if no column does. `opt_outs`: columns that tell who wants no more of
    something. `left`: columns that nobody is sure about.
    """

    path: Path
    encoding: str
    delimiter: str
    rows: int
    columns: tuple[str, ...]
    key: str | None
    fields: Mapping[str, str]
    turned: Mapping[str, str] = field(default_factory=dict)
    opt_outs: tuple[OptOut, ...] = ()
    left: tuple[str, ...] = ()


# -- looking at a table -------------------------------------------------------------------------------


def look_at(path: Path, clock: Clock) -> Table:
    """Encoding, delimiter, columns, and which field of a contact each is. Raises NoTable."""
    if not path.is_file():
        raise NoTable(f"there is no file {path}")
    connector = CsvConnector(
        path.stem, {"path": str(path.resolve())}, {"rows": {"entity": "contact"}}, clock.now
    )
    try:
        columns = tuple(spec.name for spec in connector.fields("rows"))
        page = connector.pull("rows", Reading.LISTING, None, columns)
    except ConnectorError as error:
        raise NoTable(f"{path.name}: {error.message}") from None
    finally:
        connector.close()
    samples = {name: [row.values.get(name) for row in page.records] for name in columns}
    return _understood(path, columns, samples, len(page.records))


def _understood(
    path: Path, columns: tuple[str, ...], samples: Mapping[str, Sequence[Json]], rows: int
) -> Table:
    found: dict[str, str] = {}
    for name in columns:
        meant = field_of(name)
        if meant is not None and meant not in found:
            found[meant] = name
    key = found.pop(KEY, None) or _id_like(columns, found, samples)
    if "full_name" in found and "last_name" in found:
        found.pop("full_name")
    if not found.keys() & {"email", "phone", "phones.mobile", "full_name", "last_name"}:
        raise NoTable(
            f"{path.name}: no column could be recognised as a name, an e-mail address or a telephone number "
            f"(its columns are {', '.join(columns)})"
        )
    encoding, delimiter = _dialect(path)
    opt_outs = tuple(_opt_outs([name for name in columns if name not in found.values()], samples))
    used = {*found.values(), key, *(one.column for one in opt_outs)}
    turned = {name: how for name, column in found.items() if (how := _turned(name, samples[column]))}
    return Table(
        path.resolve(),
        encoding,
        delimiter,
        rows,
        columns,
        key if key is not None and _identifies(samples[key]) else None,
        found,
        turned,
        opt_outs,
        tuple(name for name in columns if name not in used),
    )


def _id_like(
    columns: Sequence[str], found: Mapping[str, str], samples: Mapping[str, Sequence[Json]]
) -> str | None:
    """The first column that is named like one of ids and is different in every row. An address may be so,
    too, but whoever changes it would be somebody else."""
    rest = (name for name in columns if name not in found.values() and is_id_like(name))
    return next((name for name in rest if _identifies(samples[name])), None)


def _dialect(path: Path) -> tuple[str, str]:
    with path.open("rb") as file:
        encoding = encoding_of(file, AUTO)
        file.seek(len(encoding.mark))
        text = file.read(1 << 18).decode(encoding.codec, "replace")
    return encoding.codec, delimiter_of(text, AUTO)


def _identifies(values: Sequence[Json]) -> bool:
    """Whether every row has a value there, and no two the same."""
    return bool(values) and all(values) and len(set(values)) == len(values)


_DAYS = re.compile(r"(\d\d?)([./-])(\d\d?)\2\d{2,4}", re.ASCII)


def _turned(field: str, values: Sequence[Json]) -> str:
    """The transform that a column's values call for, empty for none."""
    texts = [str(value) for value in values if value]
    if field == "birthday":
        return _date_order(texts)
    if field in ("tags", "interests"):
        return (
            "semicolon_list" if sum(";" in t for t in texts) > sum("," in t for t in texts) else "comma_list"
        )
    if field == "full_name" and texts:
        return "last_first" if sum("," in text for text in texts) * 2 > len(texts) else ""
    return ""


def _date_order(texts: Sequence[str]) -> str:
    """The transform for the sign that most dates are written with: dots mean day, month, year; otherwise
    days over 12 must show one order, and none the other. Dates with other signs stay as they are."""
    found = [day for text in texts if (day := _DAYS.fullmatch(text.strip()))]
    signs = Counter(day[2] for day in found)
    sign = max(signs, key=lambda one: (signs[one], one), default="")
    if not sign or signs[sign] * 2 < len(texts):
        return ""
    if sign == ".":
        return "date_dmy(.)"
    first = any(int(day[1]) > 12 for day in found if day[2] == sign)
    second = any(int(day[3]) > 12 for day in found if day[2] == sign)
    words = "slash" if sign == "/" else sign
    return "" if first == second else f"date_dmy({words})" if first else f"date_mdy({words})"


def _opt_outs(columns: Sequence[str], samples: Mapping[str, Sequence[Json]]) -> Iterator[OptOut]:
    """For each kind of consent the first column that tells of it and in which somebody is opted out: what no
    row says yet nobody can be sure about."""
    found: set[str] = set()
    for column in columns:
        asks = consent_of(column)
        if asks is None or asks.consent in found:
            continue
        words = {str(value).strip() for value in samples[column] if value}
        out = sorted(word for word in words if word.casefold() in asks.out)
        if out:
            found.add(asks.consent)
            yield OptOut(asks.consent, column, tuple(out))


# -- the files ----------------------------------------------------------------------------------------


def offered() -> Mapping[str, System]:
    """The kinds of systems that can be connected, by name."""
    return registered_systems()


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


def authority_of(wanted: Sequence[Wanted], tables: Mapping[str, Table]) -> list[str]:
    """Who is believed where systems differ, the first one most. Tables know no stage in which one leads."""
    roles = {one.role.value for one in wanted}
    known = roles if len(tables) == len(wanted) else {CONTROL, *roles}
    return [name for name in DEFAULT_AUTHORITY if name in known]


def believed(wanted: Sequence[Wanted], tables: Mapping[str, Table]) -> str:
    """The same in the connections' names: `crm (sales), then news (marketing)`."""
    said = {CONTROL: ["who leads in the contact's stage"]}
    for one in wanted:
        said.setdefault(one.role.value, []).append(f"{one.name} ({one.role.value})")
    return ", then ".join(who for name in authority_of(wanted, tables) for who in said[name])


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
fuses:                          # beyond the smaller of the two a run is held until someone approves it
  create: {{count: 2000}}
  change: {{count: 5000, share: 20%}}
  clear: {{count: 100, share: 1%}}
"""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table, and the field that it is mapped to."""

    table: str
    column: str
    field: str


def columns_apart(tables: Mapping[str, Table]) -> list[tuple[Column, Column]]:
    """The numbers of two tables that never meet: each has some, and none of one kind."""
    numbers = [
        [Column(name, one.fields[kind], kind) for kind in _NUMBERS if kind in one.fields]
        for name, one in tables.items()
    ]
    return [
        (mine[0], theirs[0])
        for mine, theirs in combinations(filter(None, numbers), 2)
        if not {one.field for one in mine} & {one.field for one in theirs}
    ]


_NUMBERS = ("phone", "phones.mobile")
"""Kinds of numbers that are told from a header, and of which a person's only one may stand in either."""


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
            "    # key: COLUMN      no column surely identifies a row for ever, so a row is known by its",
            "    #        content: an edited one is found again by what stayed the same in it; where",
            "    #        that is too little, it is a deleted row and a new one. A column of numbers",
            "    #                  is surer: name it here.",
        ]
        lines.append(
            "    create: 'true'              # contacts of other systems are added as rows; left out: never"
        )
    if table.opt_outs:
        lines += [
            "    consent:                    # the word that means: no more of it",
            *_consent_lines(table),
        ]
    lines += ["    fields:                     # the contact's field: the column", *_field_lines(table)]
    if table.left:
        lines.append(
            f"    # not mapped: {', '.join(table.left)}  (`trueup config fields` lists the contact's fields)"
        )
    return "\n".join(lines) + "\n"


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
        words = [_quoted(word) for word in one.words]
        said = words[0] if len(words) == 1 else f"[{', '.join(words)}]"
        yield f"      {one.consent}: {{field: {_quoted(one.column)}, opted_out: {said}}}"


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
        lines += ["    entity: contact", "    key: id", "    fields:", "      email: email"]
        return "\n".join(lines) + "\n"
    objects = [
        name for name, said in system.mapping.items() if not said.off and (said.entity or "") == "contact"
    ]
    if objects:
        lines += ["objects:", f"  {objects[0]}:"]
        lines.append(
            '    # create: stage == "lead"      which contacts may be created there; left out: never'
        )
        lines.append("    entity: contact")
    return "\n".join(lines) + "\n"


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


def checked_file(said: str) -> Path:
    """The file of a table. Raises NoTable, and names the system or the role that was probably meant."""
    path = Path(said)
    if path.is_file():
        return path
    file, colon, role = said.rpartition(":")
    known = offered()
    if colon and (Path(file).is_file() or file in known):
        roles = [one.value for one in Role]
        hint = hint_for(role, roles) or f"there are {', '.join(roles)}"
        raise NoTable(f"there is no role `{role}`; {hint}")
    if path.suffix or "/" in said:
        raise NoTable(f"there is no file {said}")
    hint = hint_for(said, known) or f"the systems are {', '.join(known)}"
    raise NoTable(f"`{said}` is neither a system nor a file here; {hint}")


def checked_region(said: str) -> str:
    """A country of telephone numbers, as said. Raises NoRegion for what `check` would refuse."""
    if not said or said in SUPPORTED_REGIONS:
        return said
    hint = country_hint(said) or "there are UA, DE, GB, US and so on"
    raise NoRegion(f"`--region {said}` is no country code of two letters; {hint}")


def region_of(environment: Mapping[str, str]) -> str:
    """The country of the user's locale (`de_AT.UTF-8` is AT); empty if it names none."""
    for name in ("LC_ALL", "LC_TELEPHONE", "LC_CTYPE", "LANG"):
        found = re.match(r"[a-z]{2,3}_([A-Z]{2})", environment.get(name) or "")
        if found:
            return found[1]
    return ""


def usable_name(text: str) -> str:
    """A name for a connection out of a file's name: lower case, letters, digits and `_`."""
    plain = re.sub(r"[^a-z0-9_]+", "_", Path(text).stem.casefold()).strip("_")
    return plain or "table"
