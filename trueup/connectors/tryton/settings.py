"""What a connection's configuration says about its Tryton.

Tryton knows only parties. Which of them are companies is a convention of each installation; here it is
membership in the party category `company_category`, or whatever domain `where:` of an object says.
Who works where is a relation of the type `company_relation` (module party_relationship).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from trueup.connectors.options import AuthKey, Option, Options, SignIn, text
from trueup.connectors.settings import ConnectionSettings
from trueup.errors import ConfigError, Problem
from trueup.model.record import Json

SESSION, BASIC = "session", "basic"
LOOKBACK = 300.0


@dataclass(frozen=True, slots=True)
class TrytonSettings:
    """`url` ends with the database. `lookback` in seconds: how long a transaction may last there."""

    name: str
    url: str
    user: str
    password: str
    kind: str
    company_category: str
    company_relation: str
    lookback: float
    where: Mapping[str, Json]


def tryton_settings(settings: ConnectionSettings) -> TrytonSettings:
    """Read a connection's settings. ConfigError names all that is missing or wrong."""
    said = {**settings.options, **settings.auth}
    wrong = [f"`{name}` is missing" for name in ("url", "user", "password") if not said.get(name)]
    kind = str(said.get("kind") or SESSION)
    if kind not in (SESSION, BASIC):
        wrong.append(f"`{kind}` is no way to sign in to Tryton: it is `{SESSION}` or `{BASIC}`")
    lookback = said.get("lookback", LOOKBACK)
    if not _is_number(lookback):
        wrong.append("`lookback` is a number of seconds")
    where = {name: said["where"] for name, said in settings.objects.items() if "where" in said}
    wrong += [
        f"objects.{name}: `where` is a Tryton domain, a list of conditions"
        for name, domain in where.items()
        if not _is_domain(domain)
    ]
    if wrong:
        file = f"connections/{settings.name}.yaml"
        raise ConfigError([Problem(file, 0, 0, message) for message in wrong])
    url, database = str(said["url"]).rstrip("/"), said.get("database")
    return TrytonSettings(
        name=settings.name,
        url=f"{url}/{database}" if database else url,
        user=str(said["user"]),
        password=str(said["password"]),
        kind=kind,
        company_category=str(said.get("company_category", "Company")),
        company_relation=str(said.get("company_relation", "Employee of")),
        lookback=float(str(lookback)),
        where=where,
    )


def _is_number(value: Json) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_domain(value: Json) -> bool:
    return isinstance(value, list)


SIGN_IN = SignIn(
    (SESSION, BASIC),
    {
        "url": AuthKey(secret=False, help="the address of the server, with the database or without"),
        "database": AuthKey(required=False, secret=False, help="the database, where `url` does not name it"),
        "user": AuthKey(secret=False, help="the login of a user who may read and write parties"),
        "password": AuthKey(help="that user's password"),
    },
)
OPTIONS: Options = {
    "url": text(
        "the address; ends with the database, or `database` names it", "an address, as https://host/name"
    ),
    "database": text("the database", "the name of a database"),
    "user": text("who signs in", "the login of a user"),
    "company_category": text("the party category that marks companies", "the name of a category"),
    "company_relation": text("the relation that says who works where", "the name of a relation type"),
    "lookback": Option(
        "how long a transaction may last there",
        "a number of seconds, without quotes",
        _is_number,
        {"type": "number"},
    ),
}
"""What holds for the whole of a Tryton."""

OBJECT_OPTIONS: Options = {
    "where": Option(
        "which of its records are meant",
        "a Tryton domain, a list of conditions",
        _is_domain,
        {"type": "array"},
    ),
}
"""What an object may say."""
