"""The manifest vocabulary for writing: requests, batches, results, jobs."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import model_validator

from trueup.connectors.words_base import Path, Request, Words


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
