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

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from trueup.connectors.base import Capability
from trueup.connectors.paths import path
from trueup.errors import ConfigError, Problem


def _jmespath(expression: str) -> str:
    path(expression)
    return expression


def _regex(expression: str) -> str:
    try:
        re.compile(expression)
    except re.error as error:
        raise ValueError(f"no regular expression: {expression!r} ({error})") from error
    return expression


Path: TypeAlias = Annotated[str, AfterValidator(_jmespath)]
"""A JMESPath expression; empty means: nowhere."""
Regex: TypeAlias = Annotated[str, AfterValidator(_regex)]
StampFormat: TypeAlias = Literal["iso", "iso_ms", "epoch_s", "epoch_ms", "http_date"]


class Words(BaseModel):
    """Base of all models here: strict, closed, unchangeable."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


# -- the account ------------------------------------------------------------------------------------


class Setting(Words):
    """One named setting of a connection, used as `{name}`; looked up in `auth`, then in `options`.

    What the chosen way to sign in and the base URL mention is needed anyway; `required` is for others.
    """

    required: bool = False
    default: str = ""
    pattern: Regex = r"[^\s/@?#\\]+"
    secret: bool = True
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


# -- one request ------------------------------------------------------------------------------------


class Request(Words):
    """One call. `{placeholders}` in `path`, `query`, `headers`, `body`, `item`.

    An entry named `*` is spread into the object it stands in (`{type: x, "*": "{values}"}`).
    A query parameter, header or body entry whose placeholder has no value is left out. A body entry
    that is one placeholder and nothing else takes the value as it is (list, number, object; a list in a
    list is spread); inside text and queries, lists are joined with commas. `item` is repeated for every
    id, value or write item, and the list of them is `{items}`. `quote` wraps {id} {ids} {value} {values}
    for a query language. `group` and `cost` are what the budget is asked for.
    """

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] = "GET"
    path: str
    query: dict[str, Any] = {}
    headers: dict[str, str] = {}
    body: Any = None
    form: bool = False
    item: Any = None
    quote: Literal["none", "single", "double"] = "none"
    group: str = "default"
    cost: float = 1.0


# -- reading ----------------------------------------------------------------------------------------


class CursorPaging(Words):
    """The answer holds a token at `token`; the next page is asked for with `{after}`.

    Ends where the token is missing, or where `more` is given and false.
    """

    kind: Literal["cursor"]
    token: Path
    more: Path = ""


class NextUrlPaging(Words):
    """The answer holds the address of the next page, whole or from the root."""

    kind: Literal["next_url"]
    url: Path
    more: Path = ""


class LinkHeaderPaging(Words):
    """The next address stands in the `Link` header (RFC 8288), relation `next`."""

    kind: Literal["link_header"]


class HeaderTokenPaging(Words):
    """The token for `{after}` stands in a header; `end` is what it says on the last page."""

    kind: Literal["header_token"]
    header: str
    end: str = ""


class OffsetPaging(Words):
    """`{after}` counts records from 0. Ends with an empty page, or (`end: short`) one below `size`."""

    kind: Literal["offset"]
    end: Literal["empty", "short"] = "empty"


class PageNumberPaging(Words):
    """`{after}` counts pages from `first`. Ends with an empty page, a short one, or `more` false."""

    kind: Literal["page"]
    first: int = 1
    end: Literal["empty", "short"] = "empty"
    more: Path = ""


class KeysetPaging(Words):
    """Sorted by a key: `{after}` is the last record's key, at first `start`; `{after_stamp}` is its
    stamp in the change filter's format, at first `{since}`.

    It restarts by key on every page, so no window cap of a search is ever met, and a record that moves
    in the sort order meanwhile makes no gap. Ends with a short page, or where `more` is given and is
    missing or false. `key` is a path in the record, by default its id.
    """

    kind: Literal["keyset"]
    key: Path = ""
    start: str = ""
    more: Path = ""
    end: Literal["empty", "short"] = "short"


class NoPaging(Words):
    """All there is comes in one answer."""

    kind: Literal["none"] = "none"


Paging: TypeAlias = Annotated[
    CursorPaging
    | NextUrlPaging
    | LinkHeaderPaging
    | HeaderTokenPaging
    | OffsetPaging
    | PageNumberPaging
    | KeysetPaging
    | NoPaging,
    Field(discriminator="kind"),
]


class Stream(Words):
    """A paged reading. `next` is the request of following pages where it differs. `{limit}` is `size`.

    `records` leads to a list (or an object of records, whose values are taken). `total` to a count.
    """

    request: Request
    next: Request | None = None
    records: Path
    total: Path = ""
    size: int = 100
    paging: Paging = NoPaging()


class Since(Words):
    """The change filter. `{since}` is the position minus `lookback` seconds, in `format`, rounded down
    to `granularity` seconds.

    `position` says where the next reading starts: `start_of_run` (list in any order; `lag` seconds
    before the run started, for stamps that become visible late), `newest` (list ordered by stamp: the
    newest stamp seen), `token` (the vendor's own token is kept and `{since}` is for the first time).
    """

    format: StampFormat = "iso"
    granularity: float = 0.001
    lookback: float = 0.0
    lag: float = 0.0
    position: Literal["start_of_run", "newest", "token"] = "start_of_run"


class Changes(Stream):
    since: Since = Since()


class Deletions(Stream):
    """A reading of deleted records, made after the changes, at most once in `every` seconds.

    Records whose `stamp` lies before the last such reading are left out.
    """

    every: float = 900.0
    since: Since = Since()
    stamp: Path = ""


class RecordPaths(Words):
    """Where things are in one record. `values`: the object that holds the fields.

    `nested`: dotted field names walk into objects, also when written. `omitted: empty`: the vendor
    leaves out wanted fields that are empty (in answers to readings; never in answers to writes).
    `deleted`: truthy for a deleted record. `aliases`: a list, or text that `aliases_split` separates.
    """

    id: Path = "id"
    values: Path = "@"
    nested: bool = False
    omitted: Literal["absent", "empty"] = "absent"
    version: Path = ""
    changed_at: Path = ""
    stamp_format: StampFormat = "iso"
    deleted: Path = ""
    successor: Path = ""
    successor_object: Path = ""
    aliases: Path = ""
    aliases_split: str = ";"


class ReadMany(Words):
    request: Request
    records: Path
    batch: int = 100


class Read(Words):
    """Records by id. Ids that `many` does not bring are asked for with `one`, if there is one
    (`missing: ask`), or are gone (`missing: gone`)."""

    one: Request | None = None
    record: Path = "@"
    many: ReadMany | None = None
    missing: Literal["ask", "gone"] = "ask"

    @model_validator(mode="after")
    def _has_a_way(self) -> Read:
        if self.one is None and self.many is None:
            raise ValueError("a reading by id needs `one` or `many`")
        return self


class Find(Stream):
    """Records by the value of a field; `keys` are the fields it works for, `*` for any.

    `{key}` is the field, `{values}` up to `batch` values; with `batch: 1`, `{value}` is the one.
    `case: lower` sends text in lower case.
    """

    keys: list[str]
    batch: int = 1
    case: Literal["as_is", "lower"] = "as_is"


# -- writing ----------------------------------------------------------------------------------------


class ItemError(Words):
    """Where one item's failure says what it is: code, message, fields (see ErrorBody)."""

    code: Path = ""
    message: Path = ""
    fields: Path = ""
    existing_id: Path = ""


class Results(Words):
    """How one answer tells of several items.

    `items` leads to the results. `match`: by `order`, by the `id` of the record, by an echoed `tag`
    (the item's key), or by the `index` path's number. `failed`: truthy in a result that failed.
    `errors`: a list of failures apart from the results, each matched with `error_tag` and `error_id`
    (an id, or a list of them). `record`: the record inside a result, empty if there is none.
    """

    items: Path
    match: Literal["order", "id", "tag", "index"] = "order"
    id: Path = "id"
    tag: Path = ""
    index: Path = "index"
    failed: Path = ""
    created: Path = ""
    record: Path = ""
    errors: Path = ""
    error_tag: Path = ""
    error_id: Path = ""
    error: ItemError = ItemError()


class Job(Words):
    """A remote job: its `id` in the first answer, the request that asks for its state (`{job}`), and
    the states in which it has ended. `results` are in the state's answer."""

    id: Path
    status: Request
    state: Path
    done: list[str]
    failed: list[str] = []


class Guard(Words):
    """A header that carries the version which the write is guarded with."""

    header: str
    format: Literal["text", "http_date"] = "text"


class Write(Words):
    """One kind of write. Placeholders: {id} {values} {key} {version} {upsert_key} {upsert_value}
    {merge_into}; {items} for a batch.

    `batch` > 1 needs `results`; a batch that is refused as a whole is halved until the bad item is found.
    For single writes, `id` and `record` lead to the answer's record; an empty `record` means that the
    answer does not hold it. `created`: truthy if an upsert made the record. `key_in`: whether an
    upsert's key field stands among {values} or only where {upsert_key} and {upsert_value} are.
    """

    request: Request
    batch: int = 1
    results: Results | None = None
    job: Job | None = None
    guard: Guard | None = None
    id: Path = ""
    record: Path = ""
    created: Path = ""
    key_in: Literal["path", "values"] = "path"

    @model_validator(mode="after")
    def _batch_needs_results(self) -> Write:
        if self.batch > 1 and self.results is None:
            raise ValueError("a batch needs `results`")
        return self


class Writes(Words):
    """The writes that an object takes; one that is missing is refused, item by item.

    `deactivate` and `reactivate` without a request of their own are updates with the values that the
    connection names for them.
    """

    create: Write | None = None
    update: Write | None = None
    upsert: Write | None = None
    deactivate: Write | None = None
    reactivate: Write | None = None
    delete: Write | None = None
    merge: Write | None = None


class Clear(Words):
    """What is sent to empty a field: `token`, or another one for single fields."""

    token: Any = None
    fields: dict[str, Any] = {}


# -- metadata, errors, webhooks ---------------------------------------------------------------------


class Metadata(Words):
    """Where the vendor describes its fields. `types` turns the text at `type` into trueup's words, by the
    whole text or by what stands before its first dot; `writable` and `required` are truthy paths;
    options are a list at `options`. `stream` may be paged. `prefix` goes before each name
    (`user_fields.`)."""

    stream: Stream
    name: Path = "name"
    prefix: str = ""
    label: Path = "label"
    type: Path = "type"
    types: dict[str, str] = {}
    writable: Path = ""
    required: Path = ""
    unique: Path = ""
    max_length: Path = ""
    options: Path = ""
    option_value: Path = "value"
    option_label: Path = "label"
    reference_to: Path = ""


class StaticField(Words):
    """A field that the metadata does not tell of."""

    type: str
    label: str = ""
    writable: bool = True
    required: bool = False
    unique: bool = False
    max_length: int | None = None
    options: dict[str, str] = {}
    reference_to: list[str] = []


class ErrorBody(Words):
    """Where an error answer says what it is. `fields` leads to names, to objects with a name and a
    reason, or to a mapping of name to reason."""

    code: Path = ""
    message: Path = "message"
    fields: Path = ""


class Wait(Words):
    """How long to wait: a header in `unit` (or an HTTP date), else `default` seconds."""

    header: str = "Retry-After"
    unit: Literal["s", "ms"] = "s"
    default: float | None = None


class ErrorRule(Words):
    """The first rule whose `status`, `code` and `text` all fit decides. `text` is searched in the
    message; its named groups `field`, `existing_id`, `successor` are taken over.

    `kind`: transient, rate_limited, unknown, stale, gone, refused, unauthorized, malformed, or
    `expired_paging` (the reading starts again from its last safe position).
    """

    status: list[int] = []
    code: list[str] = []
    text: Regex = ""
    kind: Literal[
        "transient",
        "rate_limited",
        "unknown",
        "stale",
        "gone",
        "refused",
        "unauthorized",
        "malformed",
        "expired_paging",
    ]
    wait: Wait | None = None
    existing_id: Path = ""
    remedy: str = ""
    tu_code: str = ""


class Errors(Words):
    """`failed`: truthy in an answer with status 2xx that is a failure nonetheless."""

    body: ErrorBody = ErrorBody()
    failed: Path = ""
    rules: list[ErrorRule] = []


class SignedTime(Words):
    header: str
    format: StampFormat = "epoch_s"
    tolerance: float = 300.0


class Signature(Words):
    """HMAC over `parts` joined without separator. `secret` names the setting that holds the key.

    Parts: `method`, `url`, `body`, `timestamp`, or `=text` for a literal. `url_decode`: percent codes
    that the sender undoes in the URL before signing.
    """

    secret: str
    header: str
    parts: list[str]
    algorithm: Literal["sha256", "sha1"] = "sha256"
    encoding: Literal["base64", "hex"] = "base64"
    prefix: str = ""
    timestamp: SignedTime | None = None
    url_decode: list[str] = []


class Webhook(Words):
    """`events` leads to one event or a list of them; `id` (one or a list, text after the last of
    `id_after`) and `object` are looked up in each; `objects` turns what is found there into names of
    objects: by the whole text, else by the longest key that ends in `.`, `:` or `/` and begins it. Events
    of other objects are ignored."""

    signature: Signature
    events: Path = "@"
    id: Path
    id_after: str = ""
    object: Path
    objects: dict[str, str]


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
