"""What a connector is told about the one account that it is set up for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from trueup.connectors.manifest import Auth, Manifest, Setting, placeholders
from trueup.connectors.options import Options, matching
from trueup.errors import ConfigError, Problem
from trueup.model.record import Json


@dataclass(frozen=True, slots=True)
class ConnectionSettings:
    """One configured account. `auth` holds resolved secrets; `kind` in it names the way to sign in.

    `options` are connector options, `objects` per-object options (the key column of a table). `lane` is
    the budget lane that its calls ask for; an urgent twin of a connector is built with another lane.
    `folder` is that of hub.yaml: paths in options that do not begin with `/` lead from there.
    """

    name: str
    auth: Mapping[str, str] = field(default_factory=dict, repr=False)
    options: Mapping[str, Json] = field(default_factory=dict)
    time_zone: str = "UTC"
    phone_region: str = ""
    objects: Mapping[str, Mapping[str, Json]] = field(default_factory=dict)
    lane: str = "normal"
    folder: Path = Path()


def values_of(manifest: Manifest, settings: ConnectionSettings) -> dict[str, str]:
    """The manifest's named settings with this connection's values. ConfigError names all that is wrong."""
    values: dict[str, str] = {}
    problems = []
    for name, words in manifest.settings.items():
        given = settings.auth.get(name, settings.options.get(name, words.default))
        text = "" if given is None else str(given)
        if text and not re.fullmatch(words.pattern, text):
            message = f"`{name}` is not in the form that {manifest.title} needs"
            problems.append(_problem(settings, message, words.form or words.help))
        elif text:
            values[name] = text
    if problems:
        raise ConfigError(problems)
    return values


def options_of(settings: Mapping[str, Setting]) -> Options:
    """Named settings as options; those that are secret are none, because `options` are shown."""
    return {
        name: matching(words.help, words.form or words.help, words.pattern)
        for name, words in settings.items()
        if not words.secret
    }


def auth_of(manifest: Manifest, settings: ConnectionSettings, values: Mapping[str, str]) -> Auth:
    """The auth words for the kind that the connection chose (the first, if it chose none)."""
    kinds = [words.kind for words in manifest.auth]
    chosen = settings.auth.get("kind", kinds[0])
    for words in manifest.auth:
        if words.kind == chosen:
            _need_all(words, manifest, settings, values)
            return words
    message = f"`{chosen}` is no way to sign in to {manifest.title}"
    raise ConfigError([_problem(settings, message, f"one of {', '.join(kinds)}")])


def _need_all(
    words: Auth, manifest: Manifest, settings: ConnectionSettings, values: Mapping[str, str]
) -> None:
    needed = placeholders(words.model_dump()) | (placeholders(manifest.base_url) & set(manifest.settings))
    needed |= {name for name, setting in manifest.settings.items() if setting.required}
    missing = sorted(name for name in needed if not values.get(name))
    if missing:
        hint = f"the way to sign in `{words.kind}` needs it"
        raise ConfigError([_problem(settings, f"`{name}` is missing", hint) for name in missing])


def _problem(settings: ConnectionSettings, message: str, hint: str) -> Problem:
    return Problem(f"connections/{settings.name}.yaml", 0, 0, message, hint=hint)


def secrets_of(manifest: Manifest, values: Mapping[str, str]) -> tuple[str, ...]:
    """The values that may never be shown."""
    return tuple(value for name, value in values.items() if manifest.settings[name].secret)
