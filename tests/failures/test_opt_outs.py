"""F092 to F097: what must not undo an opt-out, and what must not be taken for one."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from tests.demands.hubs import DOCUMENTED, OPT_OUT, Setting, ann, hub_of, mapped, told, until_quiet
from tests.sync.memory import Clock, Memory
from tests.sync.small_hub import SmallHub, rules
from trueup.mapping.schema import ConsentRule, Shape
from trueup.model.record import Json
from trueup.sync.parts import Pace

NAMES = ("sales", "marketing", "support")
FIELDS = ("email", "first_name", "last_name", "job_title", "department")
WORD = ConsentRule("email", "marketing", "mailing", opted_out="unsubscribed")
TAG = ConsentRule("email", "marketing", "labels", Shape.ELEMENT, "no_marketing", "present")
NO_SMS = ConsentRule("sms", "marketing", "no_sms", opted_out=True)
EMAIL, SMS = "consent.email.marketing", "consent.sms.marketing"
HOW = {"sales": (OPT_OUT, NO_SMS), "marketing": (WORD, NO_SMS), "support": (TAG, NO_SMS)}


@pytest.fixture
def clock() -> Clock:
    return Clock()


def house(folder: Path, clock: Clock, **said: Json) -> SmallHub:
    """Ann in three systems that agree: a tick, a word and a tag show what she wants."""
    systems = {name: Memory(clock, page=50) for name in NAMES}
    objects = [(name, rules(fields=mapped(*FIELDS), consent=HOW[name])) for name in NAMES]
    hub = hub_of(folder, clock, systems, Setting(objects, create=NAMES))
    systems["sales"].add(**ann(job_title="CTO", department="R&D", **said))
    until_quiet(hub, clock)
    hub.release()
    until_quiet(hub, clock)
    return hub


def shown(hub: SmallHub) -> list[bool]:
    sales, marketing, support = (hub.systems[name].values("1") for name in NAMES)
    return [
        sales.get("no_mail") is True,
        marketing.get("mailing") == "unsubscribed",
        "no_marketing" in (support.get("labels") or []),
    ]


OUT, IN = [True] * 3, [False] * 3
FORMS: dict[str, dict[str, Json]] = {
    "sales": {"no_mail": False},
    "marketing": {"mailing": "subscribed"},
    "support": {"labels": []},
}
"""What a form of each system sends along, whoever fills it in and whatever for."""


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("field", FIELDS[1:])
@pytest.mark.parametrize("form", [FORMS, {}], ids=["whole form", "one field"])
def test_f092_an_edit_of_another_field_anywhere_brings_nobody_back_to_the_list(
    form: dict[str, dict[str, Json]], name: str, field: str, tmp_path: Path, clock: Clock
) -> None:
    hub = house(tmp_path, clock, no_mail=True)
    assert shown(hub) == OUT
    hub.systems[name].edit("1", **{field: "Anna"}, **form.get(name, {}))
    until_quiet(hub, clock)
    assert [hub.systems[one].values("1")[field] for one in NAMES] == ["Anna"] * 3
    assert shown(hub) == OUT


def test_f093_an_opt_out_that_the_changes_lost_wins_over_everybody_who_never_heard_of_it(
    tmp_path: Path, clock: Clock
) -> None:
    hub = house(tmp_path, clock)
    sales = hub.systems["sales"]
    number = sales.rows["1"].number
    sales.edit("1", no_mail=True)
    sales.rows["1"].number = number  # the change feed does not bring it
    for name in ("marketing", "support"):
        hub.systems[name].edit("1", **FORMS[name])
    hub.sync()
    assert shown(hub) == [True, False, False]
    paces = {name: Pace(full_listing=timedelta(seconds=1)) for name in NAMES}
    hub.parts = replace(hub.parts, paces=paces)
    until_quiet(hub, clock)
    assert shown(hub) == OUT


@pytest.mark.parametrize("at", [None, "", "no time at all"])
def test_f094_an_opt_out_without_a_time_is_an_opt_out_like_any_other(
    at: Json, tmp_path: Path, clock: Clock
) -> None:
    systems = {"sales": Memory(clock), "marketing": Memory(clock)}
    objects = [
        ("sales", rules(fields=mapped(*FIELDS), consent=(OPT_OUT,))),
        ("marketing", rules(fields=mapped(*FIELDS), consent=(DOCUMENTED,))),
    ]
    hub = hub_of(tmp_path, clock, systems, Setting(objects, create=("sales",)))
    systems["marketing"].add(**ann(subscription={"status": "UNSUBSCRIBED", "at": at}))
    hub.sync()
    assert told(systems["sales"], "no_mail") == [True]


@pytest.mark.parametrize("labels", [None, [], ["vip"]])
def test_f096_whoever_is_on_no_list_or_on_another_one_has_not_opted_out(
    labels: Json, tmp_path: Path, clock: Clock
) -> None:
    hub = house(tmp_path, clock)
    hub.systems["support"].edit("1", labels=["vip", "newsletter"])
    until_quiet(hub, clock)
    hub.systems["support"].edit("1", labels=labels)
    hub.systems["marketing"].delete("1")  # gone from that list altogether
    until_quiet(hub, clock)
    assert hub.contact("ann@example.com").get(EMAIL) != "opted_out"
    assert hub.systems["sales"].values("1").get("no_mail") is not True


@pytest.mark.parametrize("word", ["on hold", "bounced", "invalid address", "", None])
def test_f097_an_address_that_bounces_is_nobody_s_opt_out(word: Json, tmp_path: Path, clock: Clock) -> None:
    hub = house(tmp_path, clock)
    hub.systems["marketing"].edit("1", mailing=word)
    until_quiet(hub, clock)
    assert shown(hub) == IN
    assert hub.contact("ann@example.com").get(EMAIL) != "opted_out"


def test_f097_an_opt_out_of_one_channel_leaves_the_other_alone(tmp_path: Path, clock: Clock) -> None:
    hub = house(tmp_path, clock)
    hub.systems["support"].edit("1", no_sms=True)
    until_quiet(hub, clock)
    values = hub.contact("ann@example.com")
    assert (values[SMS], values[EMAIL]) == ("opted_out", "unknown")
    assert shown(hub) == IN
    assert [hub.systems[name].values("1").get("no_sms") for name in NAMES] == [True] * 3
