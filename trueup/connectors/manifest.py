"""The manifest vocabulary: what a vendor is like, as data. It describes; it does not program.

Requests hold `{placeholders}` only, answers are addressed with JMESPath only. `docs/connector-guide.md`
explains each word with an example; a word is here because one of the shipped vendors needs it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path as FilePath
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, Field, ValidationError, model_validator
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from trueup.connectors.base import Capability
from trueup.connectors.words_answer import (
    ErrorBody,
    ErrorRule,
    Errors,
    Metadata,
    Signature,
    SignedTime,
    StaticField,
    Wait,
    Webhook,
)
from trueup.connectors.words_base import (
    Path,
    Regex,
    Request,
    StampFormat,
    Words,
)
from trueup.connectors.words_read import (
    Changes,
    CursorPaging,
    Deletions,
    Find,
    HeaderTokenPaging,
    KeysetPaging,
    LinkHeaderPaging,
    NextUrlPaging,
    NoPaging,
    OffsetPaging,
    PageNumberPaging,
    Paging,
    Read,
    ReadMany,
    RecordPaths,
    Since,
    Stream,
)
from trueup.connectors.words_write import (
    Clear,
    Guard,
    ItemError,
    Job,
    Results,
    Write,
    Writes,
)
from trueup.errors import ConfigError, Problem

__all__ = [
    "Auth",
    "BasicAuth",
    "BearerAuth",
    "Changes",
    "Clear",
    "CursorPaging",
    "Deletions",
    "ErrorBody",
    "ErrorRule",
    "Errors",
    "Find",
    "Formats",
    "Guard",
    "HeaderTokenPaging",
    "ItemError",
    "Job",
    "KeysetPaging",
    "Learn",
    "Limit",
    "LinkHeaderPaging",
    "Manifest",
    "Metadata",
    "NextUrlPaging",
    "NoPaging",
    "Object",
    "OffsetPaging",
    "PageNumberPaging",
    "Paging",
    "Path",
    "Read",
    "ReadMany",
    "RecordPaths",
    "Regex",
    "Request",
    "Results",
    "Setting",
    "Signature",
    "SignedTime",
    "Since",
    "StampFormat",
    "StaticField",
    "Stream",
    "TokenAuth",
    "Wait",
    "Webhook",
    "Whoami",
    "Words",
    "Write",
    "Writes",
    "load_manifest",
    "placeholders",
]


# -- the account ------------------------------------------------------------------------------------


class Setting(Words):
    """One named setting of a connection, used as `{name}`; looked up in `auth`, then in `options`.

    What the chosen way to sign in and the base URL mention is needed anyway; `required` is for others.
    `form` says in words what `pattern` takes; `help` what it is, or where the vendor shows it.
    """

    required: bool = False
    default: str = ""
    pattern: Regex = r"[^\s/@?#\\]+"
    secret: bool = True
    form: str = ""
    help: str = ""


class BearerAuth(Words):
    """A fixed token in a header."""

    kind: Literal["bearer"]
    token: str = "{token}"
    header: str = "Authorization"
    prefix: str = "Bearer "


class BasicAuth(Words):
    """User name and password, as of RFC 7617."""

    kind: Literal["basic"]
    username: str
    password: str


class TokenAuth(Words):
    """A token that is asked for with a form, and again when it expires or is refused with 401.

    `lifetime` (seconds) holds where the answer names none at `expires_in`; 0 = until refused.
    """

    kind: Literal["client_credentials", "refresh_token"]
    url: str
    form: dict[str, str]
    encoding: Literal["form", "json"] = "form"
    access_token: Path = "access_token"
    expires_in: Path = "expires_in"
    refresh_token: Path = "refresh_token"
    lifetime: float = 0.0
    header: str = "Authorization"
    prefix: str = "Bearer "


Auth: TypeAlias = Annotated[BearerAuth | BasicAuth | TokenAuth, Field(discriminator="kind")]


class Limit(Words):
    """One bucket of the vendor's rate limit: `calls` per `seconds`, for one group of endpoints.
    The group `account` counts every call, whatever its own group.

    `calls` 0 with `parallel` limits only how many are under way at once.
    """

    group: str = "default"
    calls: int = 0
    seconds: float = 1.0
    parallel: int = 0


class Learn(Words):
    """An answer header that tells what is left.

    `pattern` finds `remaining`, or `used` and `limit`, in it; `reset_header` holds the time until the
    bucket is full again, in `reset_unit`.
    """

    header: str
    pattern: Regex = r"(?P<remaining>\d+)"
    group: str = "default"
    reset_header: str = ""
    reset_unit: Literal["s", "ms"] = "s"


# -- the whole ------------------------------------------------------------------------------------------


class Whoami(Words):
    """A cheap authenticated call; `name` leads to what names the account."""

    request: Request
    name: Path


class Formats(Words):
    """How the vendor writes what JSON has no word for; the mapping reads this."""

    date: Literal["iso", "epoch_ms"] = "iso"
    datetime: StampFormat = "iso"
    bool: Literal["json", "text"] = "json"
    decimal: Literal["json", "text"] = "json"
    multi_choice: Literal["list", "semicolon", "comma"] = "list"


class Object(Words):
    """One object. `name` is taken from the key it stands under."""

    kind: str
    capabilities: list[Annotated[Capability, Field(strict=False)]] = []
    lag: float = 0.0
    keys: list[str] = []
    required: list[str] = []
    merge_undo: str = ""
    ids: Literal["exact", "casefold"] = "exact"
    record: RecordPaths = RecordPaths()
    listing: Stream | None = None
    changes: Changes | None = None
    deletions: Deletions | None = None
    read: Read | None = None
    find: list[Find] = []
    write: Writes = Writes()
    clear: Clear | None = None
    metadata: Metadata | None = None
    fields: dict[str, StaticField] = {}


class Manifest(Words):
    """A whole manifest.yaml."""

    name: str
    title: str
    docs: str = ""
    base_url: str
    settings: dict[str, Setting] = {}
    object_options: dict[str, Setting] = {}
    headers: dict[str, str] = {}
    auth: list[Auth]
    limits: list[Limit] = []
    learn: list[Learn] = []
    timeout: float = 30.0
    clear: Clear = Clear()
    formats: Formats = Formats()
    errors: Errors = Errors()
    whoami: Whoami
    webhook: Webhook | None = None
    objects: dict[str, Object]

    @model_validator(mode="after")
    def _placeholders_are_known(self) -> Manifest:
        known = _PLACEHOLDERS | set(self.settings)
        for request in _requests(self):
            for name in placeholders(request.model_dump(exclude={"headers"})) | placeholders(request.headers):
                if name not in known:
                    raise ValueError(f"{{{name}}} in {request.path} is no placeholder and no setting")
        return self


_PLACEHOLDERS = frozenset(
    ("id", "ids", "fields", "since", "until", "after", "after_stamp", "limit", "key", "value", "values")
    + ("items", "job", "version", "object", "upsert_key", "upsert_value", "merge_into")
)
_PLACEHOLDER = re.compile(r"\{([a-z_][a-z0-9_.]*)\}")


def placeholders(template: Any) -> set[str]:
    """The names of all `{placeholders}` in a template."""
    if isinstance(template, str):
        return set(_PLACEHOLDER.findall(template))
    if isinstance(template, Mapping):
        return set().union(*(placeholders(part) for part in template.values())) if template else set()
    if isinstance(template, list):
        return set().union(*(placeholders(part) for part in template)) if template else set()
    return set()


def _requests(value: Any) -> Iterator[Request]:
    if isinstance(value, Request):
        yield value
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from _requests(getattr(value, name))
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from _requests(part)
    elif isinstance(value, list):
        for part in value:
            yield from _requests(part)


@lru_cache(maxsize=64)
def load_manifest(file: FilePath) -> Manifest:
    """The manifest in `file`. Raises ConfigError with every problem it has."""
    try:
        document = YAML(typ="safe", pure=True).load(file.read_text(encoding="utf-8"))
        return Manifest.model_validate(document)
    except YAMLError as error:
        raise ConfigError([Problem(file.name, 0, 0, f"no YAML: {error}")]) from error
    except ValidationError as error:
        raise ConfigError([_problem(file, entry) for entry in error.errors()]) from error


def _problem(file: FilePath, entry: Any) -> Problem:
    where = ".".join(str(part) for part in entry["loc"])
    return Problem(f"{file.parent.name}/{file.name}", 0, 0, f"{where}: {entry['msg']}")
