"""Realistic people, households and companies, made from a seed.

`generate` describes a population; its people are made while you go through them, always the same ones.
What each system knows of them, and how it spells that, is in `dirt`.

The addresses and numbers are invented but may exist: never load them into a system that sends.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from random import Random

from trueup.sandbox import names
from trueup.sandbox.names import Culture

STAGES = (
    ("name", 36), ("lead", 25), ("mql", 7), ("sal", 4), ("sql", 4), ("opportunity", 4),
    ("customer", 14), ("recycled", 3), ("disqualified", 2), ("former", 1),
)  # fmt: skip
INTERESTS = ("beach", "sailing", "wine", "mountains", "golf", "family", "gardening", "investment")
TAGS = ("beach", "investor", "vip", "partner", "press", "seminar", "referral")
OFFERS = ("Spring package", "Sea view 2 for 1", "Early booking", "Loyalty upgrade", "Referral bonus")
SUFFIXES = {"en": "Jr.", "de": "jun.", "es": "hijo"}
TITLES: Mapping[str, tuple[str, ...]] = {
    "en": ("COO", "Sales Manager", "Accountant", "Head of Marketing", "Engineer", "Office Manager", "Buyer"),
    "de": ("Geschäftsführer/in", "Vertriebsleiter/in", "Buchhalter/in", "Einkauf", "Assistenz der GL"),
    "uk": ("Директор", "Менеджер з продажу", "Головний бухгалтер", "Маркетолог", "Інженер"),
    "ru": ("Директор", "Менеджер по продажам", "Главный бухгалтер", "Маркетолог", "Инженер"),
    "fr": ("Directeur général", "Responsable commercial", "Comptable", "Acheteur", "Ingénieur"),
}


@dataclass(frozen=True, slots=True)
class Mix:
    """How the population is made up. Shares are between 0 and 1; `today` is the day it is seen from."""

    cultures: tuple[tuple[str, float], ...] = (
        ("uk", 34), ("de", 14), ("en", 16), ("ru", 8), ("ar", 8), ("fr", 6), ("pl", 8), ("es", 6),
    )  # fmt: skip
    stages: tuple[tuple[str, float], ...] = STAGES
    household_sizes: tuple[tuple[int, float], ...] = ((1, 55), (2, 25), (3, 10), (4, 10))
    employed: float = 0.6
    company_of: float = 12.0  # employees and others per company, on average
    family_email: float = 0.08  # of households of two and more: one address for all
    family_phone: float = 0.5  # of households: a fixed line
    company_mailbox: float = 0.06  # of the employed: gives info@ as the work address
    moved: float = 0.2
    changed_email: float = 0.15
    twins: float = 0.05  # of second children: born on the same day as the first
    namesakes: float = 0.06  # of children: named like the parent, with a suffix
    opted_in: float = 0.45
    opted_out: float = 0.08
    today: date = date(2026, 3, 2)


@dataclass(frozen=True, slots=True)
class Address:
    """A postal address as written locally; `country` is ISO 3166 alpha-2."""

    street: str
    city: str
    city_english: str
    postcode: str
    country: str


@dataclass(frozen=True, slots=True)
class Company:
    """An employer. `name` has the legal form, `short` has not; `switchboard` and `mailbox` are shared."""

    id: str
    name: str
    short: str
    latin: str
    domain: str
    mailbox: str
    switchboard: str
    address: Address


@dataclass(frozen=True, slots=True)
class Consent:
    """`state` is opted_in, opted_out or unknown; time and source are known unless it is unknown."""

    state: str
    at: datetime | None = None
    source: str = ""


@dataclass(frozen=True, slots=True)
class Person:
    """One true person: the answer to what the systems hold in pieces.

    Names are in the person's own script; `latin_*` is how the person spells them in Latin letters.
    Numbers are E.164. `former_*` is what was true before a move or a change of address.
    """

    id: str
    culture: str
    gender: str
    first: str
    last: str
    middle: str
    suffix: str
    latin_first: str
    latin_last: str
    birthday: date
    language: str
    household: str
    address: Address
    former_address: Address | None
    email: str
    former_email: str
    work_email: str
    mobile: str
    landline: str
    company: Company | None
    job_title: str
    stage: str
    since: datetime
    newsletter: Consent
    no_calls: bool
    interests: tuple[str, ...]
    tags: tuple[str, ...]
    contract_number: str
    partner_name: str


@dataclass(frozen=True, slots=True)
class Population:
    """`size` people; going through `people()` twice gives the same people."""

    seed: int
    size: int
    mix: Mix
    companies: tuple[Company, ...]

    def people(self) -> Iterator[Person]:
        """Everybody, household by household, in the order of their ids."""
        rng = Random(f"{self.seed}/people")
        taken: set[str] = set()
        employers = _by_country(self.companies)
        made = household = 0
        while made < self.size:
            household += 1
            for draft in _household(rng, self.mix, household):
                if made < self.size:
                    made += 1
                    yield _person(rng, self.mix, f"p-{made:06d}", draft, employers, taken)

    def __len__(self) -> int:
        return self.size


def generate(seed: int, people: int, mix: Mix | None = None) -> Population:
    """A population of that many people; the same seed gives the same bytes on every machine."""
    mix = mix or Mix()
    rng = Random(f"{seed}/companies")
    taken: set[str] = set()
    count = max(3, int(people / mix.company_of))
    companies = tuple(_company(rng, mix, f"c-{number:05d}", taken) for number in range(1, count + 1))
    return Population(seed, people, mix, companies)


def _by_country(companies: Sequence[Company]) -> Mapping[str, Sequence[Company]]:
    grouped: dict[str, list[Company]] = {"": list(companies)}
    for company in companies:
        grouped.setdefault(company.address.country, []).append(company)
    return grouped


# -- companies and addresses -----------------------------------------------------------------------


def _company(rng: Random, mix: Mix, id: str, taken: set[str]) -> Company:
    of = names.culture(names.weighted(rng, mix.cultures))
    country = names.countries()[names.weighted(rng, of.countries)]
    address = _address(rng, country.code)
    short = f"{rng.choice(country.heads)} {rng.choice(country.tails)}"
    if f"{names.slug(short)}.{country.tld}" in taken:
        short = f"{short} {address.city if names.slug(address.city) else address.city_english}"
    stem, number = names.slug(short), 1
    domain = f"{stem}.{country.tld}"
    while domain in taken:
        number += 1
        domain = f"{stem}{number}.{country.tld}"
    taken.add(domain)
    short = short if number == 1 else f"{short} {number}"
    return Company(
        id=id,
        name=rng.choice(country.legal).format(name=short),
        short=short,
        latin=country.legal_latin.format(name=_spelled(short)),
        domain=domain,
        mailbox=f"{rng.choice(('info', 'info', 'office', 'kontakt', 'sales'))}@{domain}",
        switchboard=names.fixed(rng, country),
        address=address,
    )


def _spelled(text: str) -> str:
    return " ".join(names.latin(word, names.culture("uk"), 0) for word in names.plain(text).split())


def _address(rng: Random, country: str) -> Address:
    of = names.countries()[country]
    city, english, pattern = rng.choice(of.cities)
    template = of.flat if rng.random() < 0.5 else of.address
    number, flat = rng.randrange(1, 150), rng.randrange(1, 99)
    street = template.format(street=rng.choice(of.streets), n=number, flat=flat)
    return Address(street, city, english, names.postcode(rng, pattern), country)


# -- households --------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Draft:
    """A member of a household before the details are filled in."""

    household: str
    culture: Culture
    gender: str
    first: str
    last: str
    born: date
    style: int
    father: str
    address: Address
    landline: str
    family_email: list[str] = field(default_factory=list)
    suffix: str = ""


def _household(rng: Random, mix: Mix, number: int) -> list[_Draft]:
    of = names.culture(names.weighted(rng, mix.cultures))
    country = names.countries()[names.weighted(rng, of.countries)]
    size = names.weighted(rng, mix.household_sizes)
    address = _address(rng, country.code)
    landline = names.fixed(rng, country) if rng.random() < mix.family_phone else ""
    head = _adult(rng, of, mix, f"h-{number:06d}", address, landline)
    members = [head]
    if size > 1:
        members.append(_partner(rng, mix, head))
    while len(members) < size:
        members.append(_child(rng, mix, members))
    if size > 1 and rng.random() < mix.family_email:
        shared: list[str] = [f"family.{names.slug(head.last) or 'home'}{number}@{rng.choice(country.mail)}"]
        for member in members:
            member.family_email = shared
    return members


def _adult(rng: Random, of: Culture, mix: Mix, id: str, address: Address, landline: str) -> _Draft:
    gender = rng.choice("fm")
    return _Draft(
        household=id,
        culture=of,
        gender=gender,
        first=names.given_name(rng, of, gender),
        last=names.surname(rng, of, "m"),
        born=mix.today - timedelta(days=rng.randrange(25 * 365, 75 * 365)),
        style=rng.randrange(3),
        father=names.given_name(rng, of, "m"),
        address=address,
        landline=landline,
    )


def _partner(rng: Random, mix: Mix, head: _Draft) -> _Draft:
    other = _adult(rng, head.culture, mix, head.household, head.address, head.landline)
    other.gender = "m" if head.gender == "f" else "f"
    other.first = names.given_name(rng, head.culture, other.gender)
    other.born = head.born + timedelta(days=rng.randrange(-2500, 2500))
    if rng.random() < 0.8:
        other.last = head.last
    return other


def _child(rng: Random, mix: Mix, members: Sequence[_Draft]) -> _Draft:
    head = members[0]
    child = _adult(rng, head.culture, mix, head.household, head.address, head.landline)
    oldest = max(mix.today - timedelta(days=45 * 365), head.born + timedelta(days=20 * 365))
    child.born = min(oldest + timedelta(days=rng.randrange(4000)), mix.today - timedelta(days=16 * 365))
    child.last = head.last
    child.father = next((member.first for member in members if member.gender == "m"), head.father)
    if len(members) > 2 and rng.random() < mix.twins:
        child.born = members[2].born
    if rng.random() < mix.namesakes and all(member.first != head.first for member in members[1:]):
        child.gender, child.first, child.suffix = head.gender, head.first, SUFFIXES.get(head.culture.code, "")
        return child
    while child.first in {member.first for member in members}:
        child.first = names.given_name(rng, head.culture, child.gender)
    return child


# -- people ------------------------------------------------------------------------------------------


def _person(
    rng: Random, mix: Mix, id: str, draft: _Draft, employers: Mapping[str, Sequence[Company]], taken: set[str]
) -> Person:
    of = draft.culture
    last = names.for_gender(draft.last, of.code, draft.gender)
    latin_first = names.latin(draft.first, of, draft.style)
    latin_last = names.latin(last, of, draft.style)
    country = names.countries()[draft.address.country]
    near = employers.get(country.code, employers[""])
    company = rng.choice(near) if rng.random() < mix.employed else None
    own = _mailbox(rng, latin_first, latin_last, draft.born, rng.choice(country.mail), taken)
    stage = names.weighted(rng, mix.stages)
    since = _moment(rng, mix.today, 1500)
    return Person(
        id=id,
        culture=of.code,
        gender=draft.gender,
        first=draft.first,
        last=last,
        middle=names.patronymic(draft.father, of.code, draft.gender),
        suffix=draft.suffix,
        latin_first=latin_first,
        latin_last=latin_last,
        birthday=draft.born,
        language=of.language,
        household=draft.household,
        address=draft.address,
        former_address=_address(rng, country.code) if rng.random() < mix.moved else None,
        email=draft.family_email[0] if draft.family_email else own,
        former_email=_former(rng, mix, latin_first, latin_last, draft.born, country.mail, taken),
        work_email=_work_email(rng, mix, company, latin_first, latin_last, taken),
        mobile=names.mobile(rng, country),
        landline=draft.landline,
        company=company,
        job_title=rng.choice(TITLES.get(of.language, TITLES["en"])) if company else "",
        stage=stage,
        since=since,
        newsletter=_consent(rng, mix, since),
        no_calls=rng.random() < 0.05,
        interests=_some(rng, INTERESTS, 3),
        tags=_some(rng, TAGS, 2),
        contract_number=f"C-{since.year}-{id[2:]}" if stage in ("customer", "former") else "",
        partner_name=f"Partner {rng.randrange(1, 40):02d}" if rng.random() < 0.1 else "",
    )


def _mailbox(rng: Random, first: str, last: str, born: date, domain: str, taken: set[str]) -> str:
    one, two = names.slug(first) or "user", names.slug(last) or "mail"
    local = rng.choice(
        (f"{one}.{two}", f"{one[0]}.{two}", f"{one}{two}", f"{two}.{one}", f"{one}_{two}",
         f"{one}{born.year}", f"{two}{born.year % 100:02d}", f"{one}.{two}{born.year % 100:02d}")
    )  # fmt: skip
    address = f"{local}@{domain}"
    while address in taken:
        address = f"{local}{rng.randrange(1, 10000)}@{domain}"
    taken.add(address)
    return address


def _former(
    rng: Random, mix: Mix, first: str, last: str, born: date, mail: Sequence[str], taken: set[str]
) -> str:
    if rng.random() >= mix.changed_email:
        return ""
    return _mailbox(rng, first, last, born, rng.choice(mail), taken)


def _work_email(
    rng: Random, mix: Mix, company: Company | None, first: str, last: str, taken: set[str]
) -> str:
    if company is None:
        return ""
    if rng.random() < mix.company_mailbox:
        return company.mailbox
    one, two = names.slug(first) or "user", names.slug(last) or "mail"
    local = rng.choice((f"{one}.{two}", f"{one[0]}{two}", f"{two}"))
    address, number = f"{local}@{company.domain}", 1
    while address in taken:
        number += 1
        address = f"{local}{number}@{company.domain}"
    taken.add(address)
    return address


def _consent(rng: Random, mix: Mix, since: datetime) -> Consent:
    point = rng.random()
    if point >= mix.opted_in + mix.opted_out:
        return Consent("unknown")
    at = since + timedelta(hours=rng.randrange(1, 24 * 60))
    end = datetime.combine(mix.today, time(0), UTC)
    if point < mix.opted_in:
        return Consent("opted_in", min(at, end), rng.choice(("website form", "trade fair", "checkout")))
    return Consent("opted_out", min(at, end), rng.choice(("unsubscribe link", "phone call", "reply")))


def _moment(rng: Random, today: date, days: int) -> datetime:
    """A moment within so many days before `today`, on a whole second, UTC."""
    end = datetime.combine(today, time(0), UTC)
    return end - timedelta(seconds=rng.randrange(3600, days * 86400))


def _some(rng: Random, items: Sequence[str], most: int) -> tuple[str, ...]:
    chosen = rng.sample(items, rng.randrange(most + 1))
    return tuple(item for item in items if item in chosen)
