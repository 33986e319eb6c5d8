"""The manifest vocabulary for what a vendor tells: metadata, errors, webhooks."""

from __future__ import annotations

from typing import Literal

from trueup.connectors.words_base import Path, Regex, StampFormat, Words
from trueup.connectors.words_read import Stream


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
    """When a webhook was signed: believed for `tolerance` seconds; ahead of our clock, a minute at most."""

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
