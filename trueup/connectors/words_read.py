"""The manifest vocabulary for reading: pages, change filters, records, look-ups."""

from __future__ import annotations

from typing import Annotated, Literal, Self, TypeAlias

from pydantic import Field, model_validator

from trueup.connectors.words_base import Path, Request, StampFormat, Words


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
    """`{after}` counts records from 0. Ends with an empty page, or (`end: short`) one below `size`.

    Each page is asked for from the last record of the page before: a record that went meanwhile moves all
    behind it, and none is left out for that. So `size` is 2 at least.
    """

    kind: Literal["offset"]
    end: Literal["empty", "short"] = "empty"


class PageNumberPaging(Words):
    """`{after}` counts pages from `first`. Ends with an empty page, a short one, or `more` false.

    A record that goes while pages are read moves all behind it: one may be left out until everything is
    listed again. Prefer another way where the system has one.
    """

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

    @model_validator(mode="after")
    def _sees_what_shifts(self) -> Self:
        if isinstance(self.paging, OffsetPaging) and self.size < 2:
            raise ValueError(
                "a page of counted records (`paging: offset`) needs a `size` of 2 or more: it begins with the"
                " last record of the page before, to see that none was left out"
            )
        return self


class Since(Words):
    """The change filter. `{since}` is the position minus `lookback` seconds, in `format`, rounded down
    to `granularity` seconds.

    `position` says where the next reading starts: `start_of_run` (list in any order; `lag` seconds
    before the run started, for stamps that become visible late), `newest` (list ordered by stamp: the
    newest stamp seen, or where the reading began, if that is earlier: what was edited meanwhile may stand
    behind the place that it had reached), `token` (the vendor's own token is kept and `{since}` is for
    the first time).
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
