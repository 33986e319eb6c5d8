"""What systems make of people: each knows some of them, in its own words, with its own dirt.

`views` shows a population as several systems hold it. Who a row really is, and what was done to it,
stands beside its values, never in them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Any

from trueup.sandbox import names
from trueup.sandbox.people import OFFERS, Address, Person, Population

Values = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Source:
    """One system's knowledge. `known` is the share it knows of each stage, `dirt` the rate of each kind.

    `full_name`: it has one field for the name. `native`: share of rows in the person's own script.
    `work`: share of rows of the employed that carry the work e-mail. `country` is how it writes one:
    english, local or code.
    """

    name: str
    known: Mapping[str, float]
    dirt: Mapping[str, float]
    duplicates: float = 0.04
    full_name: bool = False
    native: float = 0.5
    work: float = 0.3
    country: str = "english"
    without: frozenset[str] = field(default_factory=frozenset)


@dataclass(frozen=True, slots=True)
class RecordView:
    """One row of one system. `values` is all that the system may see; the rest is the truth about it.

    Keys of `values`: first_name, last_name, full_name, email, phone, mobile, street, city, postcode,
    country, company, company_domain, job_title, birthday (ISO date), language, stage, newsletter,
    newsletter_at, newsletter_source, no_calls, interests, tags, contract_number, partner_name,
    current_offer, created_at, updated_at (aware UTC). What the system does not know is missing.
    `dirt` are the kinds that were applied; `duplicate_of` is the key of the same person's first row.
    """

    system: str
    key: str
    person: str
    values: Mapping[str, Any]
    dirt: tuple[str, ...] = ()
    duplicate_of: str | None = None


def example_sources() -> tuple[Source, ...]:
    """The four systems of the example hub: marketing, sales, support and shop."""
    raw = names.load("systems.json")
    return tuple(
        Source(**{**one, "dirt": raw["common"] | one["dirt"], "without": frozenset(one["without"])})
        for one in raw["systems"]
    )


def views(population: Population, systems: Sequence[Source] | None = None) -> dict[str, list[RecordView]]:
    """What each system holds, by its name; rows in the order of the people."""
    sources = example_sources() if systems is None else systems
    rows: dict[str, list[RecordView]] = {source.name: [] for source in sources}
    draws = {source.name: Random(f"{population.seed}/{source.name}") for source in sources}
    for person in population.people():
        for source in sources:
            rows[source.name] += _rows(draws[source.name], person, source, population.mix.today)
    return rows


def view(population: Population, source: Source) -> Iterator[RecordView]:
    """The same rows of one system, made while you go through them."""
    rng = Random(f"{population.seed}/{source.name}")
    for person in population.people():
        yield from _rows(rng, person, source, population.mix.today)


def _rows(rng: Random, person: Person, source: Source, today: date) -> list[RecordView]:
    if rng.random() >= source.known.get(person.stage, 0.0):
        return []
    key = f"{source.name}-{person.id[2:]}"
    rows = [_row(rng, person, source, today, key)]
    if rng.random() < source.duplicates:
        rows.append(_row(rng, person, source, today, f"{key}-b", key))
    return rows


def _row(
    rng: Random, person: Person, source: Source, today: date, key: str, duplicate_of: str | None = None
) -> RecordView:
    values = _clean(rng, person, source, today)
    applied = [
        kind for kind, rate in source.dirt.items() if rng.random() < rate and DIRT[kind](values, person, rng)
    ]
    values["full_name"] = _full_name(values)
    for name in ("first_name", "last_name") if source.full_name else ("full_name",):
        values.pop(name, None)
    kept = {name: value for name, value in values.items() if value not in ("", None)}
    return RecordView(source.name, key, person.id, kept, tuple(applied), duplicate_of)


def _full_name(values: Values) -> str:
    parts = (values.get("first_name", ""), values.get("last_name", ""))
    return " ".join(part for part in parts if part)


def _clean(rng: Random, person: Person, source: Source, today: date) -> Values:
    native = rng.random() < source.native
    last = person.last if native else person.latin_last
    company = person.company
    at_work = bool(person.work_email) and rng.random() < source.work
    created = person.since + timedelta(days=rng.randrange(30))
    end = datetime.combine(today, time(0), UTC)
    values: Values = {
        "first_name": person.first if native else person.latin_first,
        "last_name": f"{last} {person.suffix}".strip(),
        "email": person.work_email if at_work else person.email,
        "phone": company.switchboard if company and at_work else person.landline or person.mobile,
        "mobile": person.mobile,
        "birthday": person.birthday.isoformat(),
        "language": person.language,
        "stage": person.stage,
        "newsletter": person.newsletter.state,
        "newsletter_at": person.newsletter.at,
        "newsletter_source": person.newsletter.source,
        "no_calls": person.no_calls,
        "interests": person.interests,
        "tags": person.tags,
        "contract_number": person.contract_number,
        "partner_name": person.partner_name,
        "current_offer": rng.choice(OFFERS) if rng.random() < 0.2 else "",
        "job_title": person.job_title,
        "company": (company.name if native else company.latin) if company else "",
        "company_domain": company.domain if company else "",
        "created_at": min(created, end),
        "updated_at": min(created + timedelta(seconds=rng.randrange(400 * 86400)), end),
        **_place(person.address, source.country),
    }
    return {name: value for name, value in values.items() if name not in source.without}


def _place(address: Address, style: str) -> Values:
    country = names.countries()[address.country]
    word = {"english": country.english, "local": country.local, "code": country.code}[style]
    return {
        "street": address.street,
        "city": address.city_english if style == "english" else address.city,
        "postcode": address.postcode,
        "country": word,
    }


# -- kinds of dirt: each changes the row and says whether it could ------------------------------------


def _typo(row: Values, person: Person, rng: Random) -> bool:
    name = rng.choice(("first_name", "last_name"))
    text = row.get(name, "")
    if len(text) < 4:
        return False
    at = rng.randrange(1, len(text) - 1)
    missing, doubled = text[:at] + text[at + 1 :], text[:at] + text[at] + text[at:]
    turned = text[:at] + text[at + 1] + text[at] + text[at + 2 :]
    wrong = text[:at] + rng.choice(_ALPHABET[names.culture(person.culture).script]) + text[at + 1 :]
    row[name] = rng.choice((missing, doubled, turned, wrong))
    return bool(row[name] != text)


def _nickname(row: Values, person: Person, rng: Random) -> bool:
    of = names.culture(person.culture)
    if person.first not in of.nicknames:
        return False
    short = rng.choice(of.nicknames[person.first])
    row["first_name"] = short if row["first_name"] == person.first else names.latin(short, of, 1)
    return True


def _transliterated(row: Values, person: Person, rng: Random) -> bool:
    """Another spelling in Latin letters than the person's own; for Latin scripts, marks lost or spelled."""
    of, style = names.culture(person.culture), rng.randrange(4)
    before = (row["first_name"], row["last_name"])
    row["first_name"] = names.latin(person.first, of, style)
    row["last_name"] = f"{names.latin(person.last, of, style)} {person.suffix}".strip()
    return (row["first_name"], row["last_name"]) != before


def _swapped(row: Values, person: Person, rng: Random) -> bool:
    row["first_name"], row["last_name"] = row["last_name"], row["first_name"]
    return True


def _initial(row: Values, person: Person, rng: Random) -> bool:
    row["first_name"] = f"{row['first_name'][0]}."
    return True


def _patronymic(row: Values, person: Person, rng: Random) -> bool:
    if not person.middle or row["first_name"] != person.first:
        return False
    row["first_name"] = f"{row['first_name']} {person.middle}"
    return True


def _lookalike(row: Values, person: Person, rng: Random) -> bool:
    """A Latin letter inside a Cyrillic name, as a wrong keyboard layout leaves it."""
    return _translated(row, "last_name", _LOOKALIKES)


def _mojibake(row: Values, person: Person, rng: Random) -> bool:
    """UTF-8 that was once read as Windows-1252."""
    text = row["last_name"]
    try:
        row["last_name"] = text.encode().decode("cp1252")
    except UnicodeDecodeError:
        return False
    return bool(row["last_name"] != text)


def _case(row: Values, person: Person, rng: Random) -> bool:
    change = rng.choice((str.upper, str.lower))
    before = (row["first_name"], row["last_name"])
    row["first_name"], row["last_name"] = change(row["first_name"]), change(row["last_name"])
    return (row["first_name"], row["last_name"]) != before


def _spaces(row: Values, person: Person, rng: Random) -> bool:
    name = rng.choice(("first_name", "last_name"))
    row[name] = rng.choice((f" {row[name]}", f"{row[name]}  ", f"\u00a0{row[name]}", f"{row[name]}\t"))
    return True


def _missing(row: Values, person: Person, rng: Random) -> bool:
    held = [name for name in _MAY_BE_MISSING if row.get(name)]
    if not held:
        return False
    for name in rng.sample(held, min(len(held), rng.randrange(1, 4))):
        del row[name]
    return True


def _phone_national(row: Values, person: Person, rng: Random) -> bool:
    """Without the country code, in one of the ways that people group digits."""
    return _rewritten(row, person, rng, national)


def _phone_eight(row: Values, person: Person, rng: Random) -> bool:
    """`8 050 …`: the trunk prefix of the old union, still written in Ukraine and Kazakhstan."""
    if person.address.country not in ("UA", "KZ"):
        return False
    return _rewritten(row, person, rng, lambda number, _country, _rng: _eight(number))


def _phone_written(row: Values, person: Person, rng: Random) -> bool:
    """International, but with `00`, brackets, dashes or a word before it."""
    return _rewritten(row, person, rng, _written)


def _phone_extension(row: Values, person: Person, rng: Random) -> bool:
    if person.company is None or "phone" not in row:
        return False
    extension = rng.randrange(10, 999)
    mark = rng.choice((" ext. {}", " x{}", ";ext={}", " доб. {}"))
    row["phone"] = person.company.switchboard + mark.format(extension)
    return True


def _switchboard(row: Values, person: Person, rng: Random) -> bool:
    if person.company is None or "phone" not in row:
        return False
    row["phone"] = person.company.switchboard
    row.pop("mobile", None)
    return True


def _shared_mailbox(row: Values, person: Person, rng: Random) -> bool:
    if person.company is None or not row.get("email"):
        return False
    row["email"] = person.company.mailbox
    return True


def _old_email(row: Values, person: Person, rng: Random) -> bool:
    if not person.former_email or not row.get("email"):
        return False
    row["email"] = person.former_email
    return True


def _old_address(row: Values, person: Person, rng: Random) -> bool:
    former = person.former_address
    if former is None or "street" not in row:
        return False
    row.update(street=former.street, city=former.city, postcode=former.postcode)
    return True


def _email_case(row: Values, person: Person, rng: Random) -> bool:
    if not row.get("email"):
        return False
    row["email"] = row["email"].upper() if rng.random() < 0.3 else row["email"].title()
    return True


def _email_plus(row: Values, person: Person, rng: Random) -> bool:
    """The same mailbox under another spelling: a tag behind the name."""
    if not row.get("email", "").endswith("@gmail.com"):
        return False
    row["email"] = row["email"].replace("@", rng.choice(("+news@", "+shop@", "+work@")))
    return True


def _email_typo(row: Values, person: Person, rng: Random) -> bool:
    local, at, domain = row.get("email", "").rpartition("@")
    if not at:
        return False
    stem, _, ending = domain.rpartition(".")
    wrong = stem[:1] + stem[2:] if len(stem) > 2 else stem + stem[-1]
    row["email"] = f"{local}@{_MISTYPED.get(domain, f'{wrong}.{ending}')}"
    return True


def _placeholder(row: Values, person: Person, rng: Random) -> bool:
    name = rng.choice(sorted(_PLACEHOLDERS))
    if name not in row:
        return False
    row[name] = rng.choice(_PLACEHOLDERS[name])
    return True


def _translated(row: Values, name: str, table: dict[int, str]) -> bool:
    before = row[name]
    row[name] = before.translate(table)
    return bool(row[name] != before)


def _rewritten(row: Values, person: Person, rng: Random, how: Callable[[str, str, Random], str]) -> bool:
    held = [name for name in ("phone", "mobile") if row.get(name, "").startswith("+")]
    for name in held:
        row[name] = how(row[name], person.address.country, rng)
    return bool(held)


def national(number: str, country: str, rng: Random) -> str:
    """An E.164 number as people of its country write it at home; one of another country stays whole."""
    of = names.countries()[country]
    if not number.startswith(f"+{of.dial}"):
        return number
    digits = of.trunk + number[len(of.dial) + 1 :]
    area = _AREA.get(country, 3 + len(of.trunk))
    head, tail = digits[:area], digits[area:]
    groups = re.sub(r"(\d{2,3}?)(?=(\d{2})+$)", r"\1-", tail)
    return rng.choice((digits, f"({head}) {groups}", f"{head} {groups.replace('-', ' ')}", f"{head}/{tail}"))


def _eight(number: str) -> str:
    """+380 50… becomes 8 050…, +7 701… becomes 8 701…; others stay."""
    if number.startswith("+380"):
        return f"8 0{number[4:6]} {number[6:9]} {number[9:]}"
    if number.startswith("+7"):
        return f"8 ({number[2:5]}) {number[5:8]}-{number[8:10]}-{number[10:]}"
    return number


def _written(number: str, country: str, rng: Random) -> str:
    dial = names.countries()[country].dial
    if not number.startswith(f"+{dial}"):
        return number
    rest = number[len(dial) + 1 :]
    spaced = f"+{dial} ({rest[:2]}) {rest[2:5]}-{rest[5:]}"
    return rng.choice((f"00{dial}{rest}", spaced, f"tel. +{dial} {rest}", f"+{dial}-{rest[:3]}-{rest[3:]}"))


DIRT: Mapping[str, Callable[[Values, Person, Random], bool]] = {
    "nickname": _nickname,
    "transliterated": _transliterated,
    "patronymic": _patronymic,
    "initial": _initial,
    "typo": _typo,
    "lookalike": _lookalike,
    "mojibake": _mojibake,
    "swapped": _swapped,
    "case": _case,
    "spaces": _spaces,
    "old_address": _old_address,
    "old_email": _old_email,
    "shared_mailbox": _shared_mailbox,
    "email_case": _email_case,
    "email_plus": _email_plus,
    "email_typo": _email_typo,
    "switchboard": _switchboard,
    "phone_extension": _phone_extension,
    "phone_eight": _phone_eight,
    "phone_national": _phone_national,
    "phone_written": _phone_written,
    "placeholder": _placeholder,
    "missing": _missing,
}
"""Every kind of dirt, in the order in which they are applied."""

_ALPHABET = {
    "latin": "aeioulnrst",
    "cyrillic": "аеиоурнст",
    "arabic": "ابتدرسعلمن",
}
_AREA = {"UA": 3, "FR": 2, "AE": 3, "EG": 3}  # digits written before the rest, with the trunk prefix
_LOOKALIKES = str.maketrans({"е": "e", "о": "o", "і": "i", "с": "c"})
_MISTYPED = {"gmail.com": "gmial.com", "ukr.net": "urk.net", "web.de": "wed.de", "hotmail.com": "hotmial.com"}
_MAY_BE_MISSING = (
    "email", "phone", "mobile", "birthday", "street", "city", "postcode", "country", "job_title", "company",
    "first_name",
)  # fmt: skip
_PLACEHOLDERS = {
    "email": ("test@test.com", "noreply@noreply.com", "none@none.com"),
    "phone": ("N/A", "000-00-00", "0000000000", "-"),
    "birthday": ("1900-01-01", "1970-01-01"),
    "first_name": ("-", "N/A", "Unknown"),
    "company": ("N/A", "none", "-"),
    "job_title": ("n/a", "TBD"),
    "street": ("unknown", "-"),
}
