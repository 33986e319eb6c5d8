"""Six things that people do to their systems between two syncs, and what has to come of each.

A story picks its person by what the systems hold, acts as people do in the vendor's screens, and says
what every system must hold afterwards. What does not come true ends the demonstration with an error.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from trueup.commands.demo_people import Search, Someone
from trueup.commands.demo_systems import MARKETING, SALES, SHOP, SUPPORT, Place, Systems
from trueup.commands.demo_world import Unlike
from trueup.model.record import Json
from trueup.sandbox.fill_hubspot import NEWSLETTER

NEW = "(new)"
"""Stands for the id of a record that the hub is to create."""


@dataclass(slots=True)
class Story:
    """One thing that happens. `act` does it; `expected` must hold after the next sync, `watched` is shown.

    `root` is a record of the person, by which the hub's contact is found; `fields` are those of the
    contact whose reasons are told. Places with the id NEW are of the record that comes into being.
    """

    title: str
    told: str
    act: Callable[[], None]
    root: tuple[str, str, str] = ("", "", "")
    watched: list[Place] = field(default_factory=list)
    expected: dict[Place, Json] = field(default_factory=dict)
    fields: tuple[str, ...] = ()
    before: dict[Place, Json] = field(default_factory=dict)
    edited: dict[Place, Json] = field(default_factory=dict)
    after: dict[Place, Json] = field(default_factory=dict)

    def happen(self, systems: Systems) -> None:
        """Remember what stood there, do it, and remember what stands there then."""
        self.before = values(systems, self.watched)
        self.act()
        self.edited = values(systems, self.watched)

    def end(self, systems: Systems, new: Mapping[str, tuple[str, str]]) -> None:
        """What the systems hold after the sync; `new` is where records came into being, by connection.

        Raises Unlike when a system does not hold what it must.
        """
        self.watched = [_placed(place, new) for place in self.watched]
        self.expected = {_placed(place, new): value for place, value in self.expected.items()}
        self.after = values(systems, self.watched)
        for place, wanted in self.expected.items():
            got = systems.value(place)
            if got != wanted:
                raise Unlike(f"{self.title}: {place} should be {wanted!r} and is {got!r}")


def values(systems: Systems, places: Iterable[Place]) -> dict[Place, Json]:
    return {place: systems.value(place) if place.id != NEW else None for place in places}


def _placed(place: Place, new: Mapping[str, tuple[str, str]]) -> Place:
    if place.id != NEW:
        return place
    if place.connection not in new:
        raise Unlike(f"no record came into being in {place.connection}")
    return Place(place.connection, *new[place.connection], place.path)


def stories(search: Search) -> list[Story]:
    """All six, each with its person. Raises Unlike when somebody cannot be found."""
    return [
        _address_corrected(search),
        _opted_out(search),
        _stage_moved(search),
        _edited_twice(search),
        _company_comes(search),
        _deleted(search),
    ]


def _place(someone: Someone, connection: str, path: str) -> Place:
    link = someone.link(connection)
    assert link is not None
    return Place(connection, link.object, someone.record(connection), path)


def _root(someone: Someone, connection: str) -> tuple[str, str, str]:
    place = _place(someone, connection, "")
    return (place.connection, place.object, place.id)


def _connected(someone: Someone, *names: str) -> bool:
    return all(someone.link(name) is not None for name in names)


# -- a new address -------------------------------------------------------------------------------------

_ADDRESS = {SALES: "Email", MARKETING: "email", SUPPORT: "email", SHOP: "email"}


def _address_corrected(search: Search) -> Story:
    """The same address in all four systems becomes another one in the CRM."""
    systems = search.systems

    def fits(one: Someone) -> bool:
        return _connected(one, *_ADDRESS) and all(
            systems.value(_place(one, name, path)) == one.holds("email") for name, path in _ADDRESS.items()
        )

    title = "A rep corrects an e-mail address in the CRM"
    one = search.one(title, SHOP, ["customers"], fits)
    places = [_place(one, name, path) for name, path in _ADDRESS.items()]
    box, _, domain = str(one.holds("email")).partition("@")
    new = f"{box}.new@{domain}"
    return Story(
        title,
        f"{one.name} ({one.id}) is a customer with a record in each system; the CRM gets the new address.",
        lambda: systems.sales.user_edit(places[0].object, places[0].id, {"Email": new}, "rep"),
        _root(one, SALES),
        places,
        dict.fromkeys(places, new),
        ("email",),
    )


# -- no more mail --------------------------------------------------------------------------------------


def _opted_out(search: Search) -> Story:
    """Somebody who gets the newsletter tells the helpdesk that it should stop."""
    systems = search.systems

    def fits(one: Someone) -> bool:
        return (
            _connected(one, MARKETING, SALES)
            and systems.value(_place(one, MARKETING, NEWSLETTER)) == "SUBSCRIBED"
            and not systems.value(_place(one, SALES, "HasOptedOutOfEmail"))
            and not (one.link(SHOP) and systems.value(_place(one, SHOP, "no_mail")))
        )

    title = "A customer tells the helpdesk: no more advertising"
    one = search.one(title, SUPPORT, ["users"], fits)
    support = _place(one, SUPPORT, "tags")
    expected: dict[Place, Json] = {
        _place(one, MARKETING, NEWSLETTER): "UNSUBSCRIBED",
        _place(one, SALES, "HasOptedOutOfEmail"): True,
    }
    if one.link(SHOP):
        expected[_place(one, SHOP, "no_mail")] = True
    return Story(
        title,
        f"{one.name} ({one.id}) gets the newsletter; an agent sets the tag `no_marketing`.",
        lambda: systems.support.user_tag(support.id, "no_marketing", by="agent"),
        _root(one, SUPPORT),
        [support, *expected],
        expected,
        ("consent.email.marketing",),
    )


# -- a lead becomes interesting ------------------------------------------------------------------------


def _stage_moved(search: Search) -> Story:
    """Marketing qualifies a lead: sales gets it."""
    systems = search.systems

    def fits(one: Someone) -> bool:
        named = one.holds("last_name") and one.holds("email")
        lead = systems.value(_place(one, MARKETING, "lifecyclestage")) == "lead"
        return bool(named) and lead and not _connected(one, SALES) and one.holds("stage") == "lead"

    title = "A marketer qualifies a lead"
    one = search.one(title, MARKETING, ["contacts"], fits)
    stage = _place(one, MARKETING, "lifecyclestage")
    expected: dict[Place, Json] = {
        Place(SALES, "Lead", NEW, "Email"): one.holds("email"),
        Place(SALES, "Lead", NEW, "LastName"): one.holds("last_name"),
        Place(SALES, "Lead", NEW, "Status"): "Open - Not Contacted",
    }
    change = {"lifecyclestage": "marketingqualifiedlead"}
    return Story(
        title,
        f"{one.name} ({one.id}) is known to marketing only; the rule `create:` of sales names the stage mql.",
        lambda: systems.marketing.user_edit("contacts", stage.id, change, "marketer"),
        _root(one, MARKETING),
        [stage, *expected],
        {stage: "marketingqualifiedlead", **expected},
        ("stage",),
    )


# -- two people at once --------------------------------------------------------------------------------

_LED_BY_SALES = ("mql", "sal", "sql", "opportunity")


def _edited_twice(search: Search) -> Story:
    """Sales and marketing both change the job title of one person; marketing comes last, and yet loses."""
    systems = search.systems

    def fits(one: Someone) -> bool:
        return _connected(one, MARKETING) and one.holds("stage") in _LED_BY_SALES

    title = "Two systems edit the same field of one person"
    one = search.one(title, SALES, ["Contact", "Lead"], fits)
    sales, marketing = _place(one, SALES, "Title"), _place(one, MARKETING, "jobtitle")

    def act() -> None:
        systems.sales.user_edit(sales.object, sales.id, {"Title": "Head of Purchasing"}, "rep")
        systems.marketing.user_edit("contacts", marketing.id, {"jobtitle": "Purchasing"}, "marketer")

    return Story(
        title,
        f"{one.name} ({one.id}) is in stage `{one.holds('stage')}`, which sales leads. "
        "A rep edits the job title, then a marketer does, too.",
        act,
        _root(one, SALES),
        [sales, marketing],
        {sales: "Head of Purchasing", marketing: "Head of Purchasing"},
        ("job_title",),
    )


# -- somebody new --------------------------------------------------------------------------------------

COMPANY = "Lighthouse Sailing School"
_SITE = "lighthouse-sailing.com"
_NEWCOMER = {
    "firstname": "Iryna",
    "lastname": "Marchenko",
    "email": f"iryna@{_SITE}",
    "jobtitle": "Owner",
    "lifecyclestage": "marketingqualifiedlead",
}


def _company_comes(search: Search) -> Story:
    """Marketing meets a new company and somebody who works there."""
    marketing = search.systems.marketing
    expected: dict[Place, Json] = {
        Place(SALES, "Lead", NEW, "LastName"): _NEWCOMER["lastname"],
        Place(SALES, "Lead", NEW, "Email"): _NEWCOMER["email"],
        Place(SALES, "Lead", NEW, "Company"): COMPANY,
    }

    def act() -> None:
        company = marketing.user_create("companies", {"name": COMPANY, "domain": _SITE}, "marketer")
        contact = marketing.user_create("contacts", dict(_NEWCOMER), "marketer")
        marketing.user_associate("contacts", contact, "companies", company, "marketer")
        story.root = (MARKETING, "contacts", contact)
        story.watched[:0] = [
            Place(MARKETING, "companies", company, "name"),
            Place(MARKETING, "contacts", contact, "email"),
        ]

    story = Story(
        "A new company, and a contact of it",
        f"At a fair marketing meets {_NEWCOMER['firstname']} {_NEWCOMER['lastname']} of {COMPANY}, "
        "and enters both.",
        act,
        watched=list(expected),
        expected=dict(expected),
        fields=("company",),
    )
    return story


# -- somebody goes -------------------------------------------------------------------------------------


def _deleted(search: Search) -> Story:
    """The helpdesk deletes a customer's record; everybody else keeps theirs, and it does not come back."""
    systems = search.systems

    def fits(one: Someone) -> bool:
        return _connected(one, MARKETING) and one.holds("stage") == "customer" and bool(one.holds("email"))

    title = "The helpdesk deletes somebody"
    one = search.one(title, SUPPORT, ["users"], fits)
    gone = _place(one, SUPPORT, "name")
    kept = [_place(one, name, path) for name, path in _ADDRESS.items() if name != SUPPORT and one.link(name)]
    return Story(
        title,
        f"{one.name} ({one.id}) is a customer. A deletion is not passed on unless the configuration says so.",
        lambda: systems.support.user_delete(gone.id, "agent"),
        _root(one, SUPPORT),
        [gone, *kept],
        {gone: None, **values(systems, kept)},
    )
