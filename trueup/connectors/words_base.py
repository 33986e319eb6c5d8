"""The ground of the manifest vocabulary: strict models, paths, patterns, and one request."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict

from trueup.connectors.paths import path


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
