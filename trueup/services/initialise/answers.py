"""What is asked before there is a hub, and whether an answer will do."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from phonenumbers import SUPPORTED_REGIONS

from trueup.config.load import country_hint
from trueup.config.suggest import hint_for
from trueup.config.systems import System, registered_systems
from trueup.config.vocabulary import Role
from trueup.errors import TrueupError
from trueup.services.initialise.tables import NoTable


class NoRegion(TrueupError):
    """A country that numbers cannot be of."""

    code = "TU-INI-003"
    exit_code = 2


@dataclass(frozen=True, slots=True)
class Wanted:
    """One system to connect. `path`: for a table, the file."""

    name: str
    connector: str
    role: Role
    path: Path | None = None


def offered() -> Mapping[str, System]:
    """The kinds of systems that can be connected, by name."""
    return registered_systems()


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
