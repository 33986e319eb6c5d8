"""One account as the steps of a connector see it: manifest, settings, client and clock together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from trueup.connectors import manifest as words
from trueup.connectors.fill import fill, fill_items, fill_path
from trueup.connectors.http import Call, HttpClient
from trueup.connectors.paths import ABSENT
from trueup.connectors.settings import ConnectionSettings
from trueup.connectors.verdict import Answer, Effect
from trueup.errors import NotFound, Refused
from trueup.model.record import Json
from trueup.ports import Clock


@dataclass(frozen=True, slots=True)
class Session:
    """What every step receives first. `values` are the named settings for `{placeholders}`; `learned` holds
    what the system's metadata told once (names to ids), for as long as the connector lives."""

    manifest: words.Manifest
    settings: ConnectionSettings = field(repr=False)
    http: HttpClient
    clock: Clock
    values: Mapping[str, str] = field(default_factory=dict, repr=False)
    learned: dict[str, dict[str, int]] = field(default_factory=dict, repr=False, compare=False)

    def object(self, name: str) -> words.Object:
        """The manifest's words on one object. NotFound for an unknown one."""
        found = self.manifest.objects.get(name)
        if found is None:
            raise NotFound(f"{self.manifest.title} has no object `{name}` here")
        return found

    def call(
        self,
        request: words.Request,
        values: Mapping[str, Json],
        operation: str,
        effect: Effect = Effect.READ,
        each: Sequence[Mapping[str, Json]] = (),
    ) -> Call:
        """The call that a manifest's request describes. Refused where a value for its path is missing."""
        known: dict[str, Json] = {**self.values, **values}
        if request.item is not None:
            known["items"] = fill_items(request.item, [{**self.values, **one} for one in each])
        try:
            url = fill_path(request.path, known)
        except KeyError as error:
            raise Refused(
                f"nothing to put for {error} in the address",
                connection=self.settings.name,
                operation=operation,
            ) from None
        return Call(
            request.method,
            url,
            operation,
            effect,
            fill(request.query, known, request.quote),
            fill({**self.manifest.headers, **request.headers}, known),
            ABSENT if request.body is None else fill(request.body, known, request.quote),
            request.form,
            request.group,
            request.cost,
        )

    def ask(self, request: words.Request, values: Mapping[str, Json], operation: str) -> Answer:
        """The successful answer to a read. Raises the ConnectorError of what went wrong."""
        return self.http.send(self.call(request, values, operation))
