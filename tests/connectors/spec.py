"""Holding a conversation against a vendor's own description of its API.

`SpecTransport` stands between a connector and a stand-in and checks both sides of every call, so that
the two cannot share one author's misreading.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import httpx
import orjson
from openapi_core import Config, OpenAPI
from openapi_core.exceptions import OpenAPIError
from openapi_core.templating.paths.exceptions import PathError
from openapi_core.templating.responses.exceptions import ResponseFinderError
from openapi_core.testing import MockRequest, MockResponse

from trueup.sandbox.standin import StandIn

_HOST = "http://spec.test"


@lru_cache(maxsize=8)
def _description(file: Path, base_path: str) -> OpenAPI:
    document: dict[str, Any] = orjson.loads(file.read_bytes())
    document["servers"] = [{"url": _HOST + base_path}]
    document.pop("security", None)  # stand-ins check credentials themselves
    for operations in document["paths"].values():
        for operation in operations.values():
            if isinstance(operation, dict):
                operation.pop("security", None)
    return OpenAPI.from_dict(document, config=Config(spec_validator_cls=None))


class SpecTransport(httpx.BaseTransport):
    """The stand-in's transport with every request and answer validated.

    `base_path` is what the stand-in's paths have before the description's paths. A violation raises
    AssertionError. Operations that the description does not know are listed in `unknown`, statuses of
    4xx and 5xx that it does not describe in `undescribed`; `checked` counts what was validated whole.
    """

    def __init__(self, standin: StandIn, spec_path: Path, base_path: str = "") -> None:
        self._standin = standin
        self._inner = standin.transport()
        self._description = _description(spec_path, base_path)
        self.unknown: set[str] = set()
        self.undescribed: set[str] = set()
        self.checked = 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        mirrored = _mirrored(request)
        known = self._check_request(request, mirrored)
        response = self._inner.handle_request(request)
        if known and not self._struck():
            self._check_response(request, mirrored, response)
        return response

    def _struck(self) -> bool:
        """Whether this answer is a planned misfortune, which no description has to allow."""
        kind = self._standin.ledger.asked[-1].kind
        seen = self._standin._seen
        faults = self._standin.faults
        return any(fault.kind in (kind, "*") and seen[fault.kind] == fault.nth for fault in faults)

    def _check_request(self, request: httpx.Request, mirrored: MockRequest) -> bool:
        try:
            self._description.validate_request(mirrored)
        except PathError:
            self.unknown.add(_name(request))
            return False
        except OpenAPIError as error:
            why = f"our request {_name(request)} breaks the description: {_why(error)}"
            raise AssertionError(why) from error
        return True

    def _check_response(
        self, request: httpx.Request, mirrored: MockRequest, response: httpx.Response
    ) -> None:
        content = response.read()
        kind = response.headers.get("content-type", "application/json")
        answer = MockResponse(content, response.status_code, dict(response.headers), kind)
        try:
            self._description.validate_response(mirrored, answer)
        except ResponseFinderError:
            name = f"{_name(request)} {response.status_code}"
            assert response.status_code >= 400, f"{name}: the description knows no such status"
            self.undescribed.add(name)
        except OpenAPIError as error:
            if response.status_code >= 400 and kind != "application/json":
                return
            raise AssertionError(
                f"the answer {response.status_code} to {_name(request)} breaks the description: {_why(error)}"
            ) from error
        else:
            self.checked += 1


def _mirrored(request: httpx.Request) -> MockRequest:
    return MockRequest(
        _HOST,
        request.method.lower(),
        request.url.path,
        args=dict(request.url.params),
        headers=dict(request.headers),
        data=request.content or None,
        content_type=request.headers.get("content-type", "application/json").split(";")[0],
    )


def _name(request: httpx.Request) -> str:
    return f"{request.method} {request.url.path}"


def _why(error: BaseException) -> str:
    causes: list[str] = []
    cause: BaseException | None = error
    while cause is not None:
        details = [str(detail.message) for detail in getattr(cause, "schema_errors", ())]
        causes.append("; ".join([str(cause), *details]))
        cause = cause.__cause__
    return " <- ".join(causes)[:2000]
