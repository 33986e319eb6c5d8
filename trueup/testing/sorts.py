"""The sorts of records that a simulated system keeps: people, and in some systems companies, too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from trueup.model.fields import Kind
from trueup.model.record import Json
from trueup.testing.traits import FIELDS, OPT_OUT, OPTED_IN, TYPED


@dataclass(frozen=True, slots=True)
class Sort:
    """One object of a system. `fields`: remote field to the field of the hub; `plain`: those in which each
    value that is typed is judged; `typed`: those in which people type values that nobody else types. `key`:
    what tells who a record is; `telling`: all that may do so. `path`: where its requests go; `mark`: what
    its ids have behind the letter of the system; `empty`: what a new record holds."""

    object: str
    kind: Kind
    fields: Mapping[str, str]
    plain: Sequence[str]
    typed: Sequence[str]
    key: str
    telling: frozenset[str]
    path: str
    mark: str
    empty: Mapping[str, Json]


EMPLOYER, COMPANY = "employer", "company"
"""Where a person's record has the id of a company, and the contact's field. In no `fields`: not every system
has it, and what it holds means something in its system only."""

PEOPLE = Sort(
    "people",
    Kind.CONTACT,
    FIELDS,
    tuple(name for name in FIELDS if name not in ("labels", "phase")),
    TYPED,
    "email",
    frozenset(("email", "given")),
    "",
    "",
    {**dict.fromkeys(FIELDS), "labels": [], OPT_OUT: False, OPTED_IN: None},
)

COMPANY_FIELDS: Mapping[str, str] = {
    "firm": "name",
    "domain": "domain",
    "phone": "phone",
    "branch": "industry",
}
COMPANIES = Sort(
    "companies",
    Kind.COMPANY,
    COMPANY_FIELDS,
    tuple(COMPANY_FIELDS),
    ("phone", "branch"),
    "domain",
    frozenset(("domain", "firm")),
    "/companies",
    "c",
    dict.fromkeys(COMPANY_FIELDS),
)
