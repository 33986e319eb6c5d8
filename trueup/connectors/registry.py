"""Which kinds of connectors there are: every folder here with a manifest.yaml or a connector.py."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, cast

import httpx

from trueup.connectors.auth import Credential, credential
from trueup.connectors.base import Connector
from trueup.connectors.boundary import Bounded
from trueup.connectors.http import Account, HttpClient
from trueup.connectors.manifest import Manifest, load_manifest
from trueup.connectors.options import AuthKey, Options, SignIn
from trueup.connectors.rest import RestConnector, Steps
from trueup.connectors.session import Session
from trueup.connectors.settings import ConnectionSettings, auth_of, options_of, secrets_of, values_of
from trueup.errors import Broken, NotFound
from trueup.ports import Budget, Clock

if TYPE_CHECKING:
    from trueup.sandbox.standin import StandIn

__all__ = ["ConnectionSettings", "ConnectorKind", "connector_kind", "connectors"]
Credentials = MutableMapping[str, Credential]
_FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class ConnectorKind:
    """Code for one kind of system, not yet set up for an account.

    A folder with a manifest is built from it; `connector.py` may name `STEPS` that it does itself. A
    folder without one has `connect(settings, transport, clock, budget)` in `connector.py`.
    """

    name: str
    folder: Path

    @property
    def manifest(self) -> Manifest | None:
        """The manifest, None for a connector that is all code. ConfigError if it is wrong."""
        file = self.folder / "manifest.yaml"
        return load_manifest(file) if file.exists() else None

    @property
    def sign_in(self) -> SignIn:
        """What a connection may say under `auth:`: the manifest's ways and settings, or the `SIGN_IN` of
        code (nothing without one)."""
        manifest = self.manifest
        if manifest is None:
            return cast(SignIn, getattr(self._module("connector"), "SIGN_IN", SignIn()))
        keys = {
            name: AuthKey(words.required, words.secret, words.help)
            for name, words in manifest.settings.items()
        }
        return SignIn(tuple(words.kind for words in manifest.auth), keys)

    @property
    def options(self) -> Options:
        """What a connection may say under `options:`: the manifest's settings that are no secret, or the
        `OPTIONS` of code."""
        manifest = self.manifest
        return options_of(manifest.settings) if manifest else self._declared("OPTIONS")

    @property
    def object_options(self) -> Options:
        """What an object may say: the manifest's `object_options`, or the `OBJECT_OPTIONS` of code."""
        manifest = self.manifest
        return options_of(manifest.object_options) if manifest else self._declared("OBJECT_OPTIONS")

    def _declared(self, name: str) -> Options:
        return cast(Options, getattr(self._module("connector"), name, {}))

    @property
    def local(self) -> bool:
        """Whether what it reads lies here, so that it can be looked at without asking a system."""
        return bool(getattr(self._module("connector"), "LOCAL", False))

    @property
    def mapping_file(self) -> Path:
        """The default mapping; may be absent."""
        return self.folder / "mapping.yaml"

    @property
    def quality_file(self) -> Path:
        return self.folder / "quality.yaml"

    def build(
        self,
        settings: ConnectionSettings,
        transport: httpx.BaseTransport | None,
        clock: Clock,
        budget: Budget,
        held: Credentials | None = None,
    ) -> Connector:
        """The connector for one account. ConfigError if the settings lack something; nothing is sent.

        Whatever its code does not foresee comes out of it as an error of trueup. `held`: credentials by
        connection that all its lanes share; where it has none yet, this one is put there.
        """
        held = {} if held is None else held
        return Bounded(self._built(settings, transport, clock, budget, held), settings.name)

    def _built(
        self,
        settings: ConnectionSettings,
        transport: httpx.BaseTransport | None,
        clock: Clock,
        budget: Budget,
        held: Credentials,
    ) -> Connector:
        manifest = self.manifest
        code = self._module("connector")
        if manifest is None:
            if code is None or not hasattr(code, "connect"):
                raise Broken(f"connectors/{self.name} has neither a manifest nor `connect`")
            return cast(Connector, code.connect(settings, transport, clock, budget))
        steps = cast(Steps, getattr(code, "STEPS", Steps()))
        return RestConnector(session(manifest, settings, transport, clock, budget, held), steps)

    def vendor(self) -> type[StandIn]:
        """The class of the stand-in. Imported only here: it belongs to the sandbox. NotFound without one."""
        module = self._module("vendor")
        here = vars(module) if module else {}
        for name, thing in here.items():
            if isinstance(thing, type) and name.endswith("StandIn") and thing.__module__ == here["__name__"]:
                return thing
        raise NotFound(f"there is no stand-in for `{self.name}`")

    def _module(self, part: str) -> ModuleType | None:
        if not (self.folder / f"{part}.py").exists():
            return None
        return importlib.import_module(f"trueup.connectors.{self.folder.name}.{part}")


@lru_cache(maxsize=1)
def connectors() -> Mapping[str, ConnectorKind]:
    """Every kind of connector, by name."""
    folders = sorted(path for path in _FOLDER.iterdir() if path.is_dir() and _is_connector(path))
    return {folder.name: ConnectorKind(folder.name, folder) for folder in folders}


def connector_kind(name: str) -> ConnectorKind:
    """The kind with this name. NotFound names those that there are."""
    found = connectors().get(name)
    if found is None:
        raise NotFound(f"there is no connector `{name}`; there are {', '.join(connectors())}")
    return found


def _is_connector(folder: Path) -> bool:
    return (folder / "manifest.yaml").exists() or (folder / "connector.py").exists()


def session(
    manifest: Manifest,
    settings: ConnectionSettings,
    transport: httpx.BaseTransport | None,
    clock: Clock,
    budget: Budget,
    held: Credentials | None = None,
) -> Session:
    """A session for a manifest: what `build` and tests of single steps start from. `held`: see `build`."""
    values = values_of(manifest, settings)
    words = auth_of(manifest, settings, values)
    account = Account(
        settings.name,
        _base_url(manifest.base_url, values),
        errors=manifest.errors,
        learn=tuple(manifest.learn),
        lane=settings.lane,
        timeout=manifest.timeout,
    )
    known = {} if held is None else held
    signs = known.setdefault(settings.name, credential(words, values, secrets_of(manifest, values)))
    client = HttpClient(account, signs, clock, budget, transport)
    return Session(manifest, settings, client, clock, values)


def _base_url(template: str, values: Mapping[str, str]) -> str:
    for name, value in values.items():
        template = template.replace("{" + name + "}", value)
    return template
