"""`trueup demo`, run small: it is judged by what the systems hold afterwards, not by what it says."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.cli.kit import say
from trueup.commands.answer import Answer, Shown
from trueup.commands.demo import Teller, perform
from trueup.commands.demo_people import case_of
from trueup.commands.demo_systems import MARKETING, SALES, SHOP, SUPPORT, Place, Systems
from trueup.commands.demo_world import Stage, Unlike, set_up
from trueup.commands.desk import Form, Unusable
from trueup.sandbox.fill_hubspot import NEWSLETTER
from trueup.sandbox.server import SandboxClock

SKELETON = Path(__file__).parent / "skeleton.txt"
NOW = datetime(2026, 11, 1, 9, 0, tzinfo=UTC)
PEOPLE, SEED = 150, 1


@dataclass(frozen=True, slots=True)
class Performed:
    """A demonstration that is over: its folder, its answer, the systems as they were left, and its text."""

    folder: Path
    answer: Answer
    stage: Stage
    text: str

    @property
    def systems(self) -> Systems:
        return self.stage.systems

    def contact(self, story: int) -> str:
        return str(self.answer.document["stories"][story]["contact"])

    def place(self, story: int, connection: str, field: str) -> Place:
        """Where a story looked at a field of a system."""
        places: list[dict[str, Any]] = self.answer.document["stories"][story]["places"]
        found = next(one for one in places if (one["connection"], one["field"]) == (connection, field))
        return Place(connection, found["object"], found["record"], field)

    def held(self, story: int, connection: str, field: str) -> object:
        """What the system holds there when all is over."""
        return self.systems.value(self.place(story, connection, field))

    def before(self, story: int, connection: str, field: str) -> object:
        places = self.answer.document["stories"][story]["places"]
        return next(o["before"] for o in places if (o["connection"], o["field"]) == (connection, field))


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Performed]:
    """One demonstration for all tests that only look."""
    folder = tmp_path_factory.mktemp("demo") / ".demo"
    stage = set_up(folder, PEOPLE, SEED, SandboxClock(NOW))
    said: list[Shown] = []
    answer = perform(Teller(Form.TEXT, out=said.extend), stage)
    yield Performed(folder, answer, stage, _text([*said, *answer.shown]))
    stage.close()


def _text(parts: Iterable[Shown]) -> str:
    lines: list[str] = []
    for part in parts:
        lines += [part] if isinstance(part, str) else [" | ".join(part.head)]
    return "\n".join(lines) + "\n"


E_MAIL, OPT_OUT, STAGE, CONFLICT, COMPANY, DELETION = range(6)


def test_it_ends_well(done: Performed) -> None:
    assert done.answer.exit_code == 0
    assert done.answer.document["zero_writes_at_the_end"] is True


def test_an_address_corrected_in_the_crm_is_in_every_system(done: Performed) -> None:
    new = done.held(E_MAIL, SALES, "Email")
    assert new != done.before(E_MAIL, SALES, "Email")
    assert [done.held(E_MAIL, name, "email") for name in (MARKETING, SUPPORT, SHOP)] == [new] * 3


def test_an_opt_out_in_the_helpdesk_is_in_every_system(done: Performed) -> None:
    assert done.before(OPT_OUT, MARKETING, NEWSLETTER) == "SUBSCRIBED"
    assert done.held(OPT_OUT, MARKETING, NEWSLETTER) == "UNSUBSCRIBED"
    assert done.held(OPT_OUT, SALES, "HasOptedOutOfEmail") is True


def test_a_lead_that_marketing_qualifies_comes_into_being_in_sales(done: Performed) -> None:
    assert done.before(STAGE, SALES, "Status") is None
    assert done.held(STAGE, SALES, "Status") == "Open - Not Contacted"
    email = done.systems.value(
        Place(MARKETING, "contacts", done.place(STAGE, MARKETING, "lifecyclestage").id, "email")
    )
    assert done.held(STAGE, SALES, "Email") == email


def test_of_two_edits_the_one_of_the_leading_system_wins_although_the_other_came_last(
    done: Performed,
) -> None:
    assert done.held(CONFLICT, SALES, "Title") == "Head of Purchasing"
    assert done.held(CONFLICT, MARKETING, "jobtitle") == "Head of Purchasing"
    assert 'lost: "Purchasing" from marketing/contacts/' in done.text


def test_a_new_company_comes_to_sales_as_the_company_of_its_lead_only(done: Performed) -> None:
    assert done.held(COMPANY, SALES, "Company") == "Lighthouse Sailing School"
    accounts = [row["Name"] for row in done.systems.sales.org.living("Account")]
    assert "Lighthouse Sailing School" not in accounts


def test_a_deletion_stays_where_it_happened_and_is_not_undone(done: Performed) -> None:
    gone = done.place(DELETION, SUPPORT, "name")
    assert done.systems.record(SUPPORT, "users", gone.id) is None
    email = done.held(DELETION, MARKETING, "email")
    assert email == done.before(DELETION, MARKETING, "email")
    living = [done.systems.support.user(id) for id in done.systems.people(SUPPORT, "users")]
    assert email not in [user["email"] for user in living]


def test_the_first_sync_replaces_nothing_and_the_release_replaces_what_was_reported(done: Performed) -> None:
    first, second = done.answer.document["runs"][:2]
    assert first["replaces"] == 0
    assert done.answer.document["withheld"] > 0
    assert second["replaces"] > 0


def test_it_tells_its_tale_in_these_words(done: Performed) -> None:
    assert _skeleton(done.text) == SKELETON.read_text(encoding="utf-8")


def _skeleton(text: str) -> str:
    """The words without people, numbers and ids, and without what depends on them."""
    out = re.sub(r'"[^"]*"', '"…"', text)
    out = re.sub(r"\S*\.demo\S*", "FOLDER", out)
    out = re.sub(r"\S*trueup (?=contacts|why|runs|failures|connections|demo)", "trueup ", out)
    out = re.sub(r"(marketing|sales|support|shop)/(\w+)/\w+", r"\1/\2/ID", out)
    out = re.sub(r"^.*? \((c-\d+)\)", r"SOMEBODY (\1)", out, flags=re.M)
    out = re.sub(r"\b(co|c)-\d+", r"\1-N", out)
    out = re.sub(r"(?<![\w-])\d[\d,]*", "N", out)
    return "".join(line for line in out.splitlines(keepends=True) if not _OF_THE_DATA.match(line))


_OF_THE_DATA = re.compile(
    r"Run |Held back|A person looks|What systems did not|  (marketing|sales|support|shop)[ :]|  and N more"
    r"|Writing this|N opt-out"
)


# -- afterwards ----------------------------------------------------------------------------------------


def test_the_commands_that_it_names_work_when_its_systems_are_gone(done: Performed) -> None:
    named = re.findall(r"trueup (.+?) +# ", done.text)
    assert len(named) == 5
    for command in named:
        said = say(*command.split())
        assert said.code == 0, said.err


def test_why_tells_of_the_conflict_afterwards(done: Performed) -> None:
    where = ("--sandbox", "--config", str(done.folder / "config"))
    said = say("why", done.contact(CONFLICT), "job_title", *where)
    assert 'lost: "Purchasing" from marketing' in said.out


def test_a_sync_afterwards_says_that_the_systems_cannot_be_reached(done: Performed) -> None:
    said = say("plan", "--sandbox", "--config", str(done.folder / "config"))
    assert said.code == 1
    assert "marketing could not be read" in said.out


# -- when it goes wrong --------------------------------------------------------------------------------


def test_it_fails_when_the_last_sync_writes_anything(tmp_path: Path) -> None:
    stage = set_up(tmp_path / ".demo", 150, SEED, SandboxClock(NOW))

    def disturb(parts: Sequence[Shown]) -> None:
        """Somebody edits a lead just when nothing should happen any more."""
        if any(isinstance(part, str) and part.startswith("6. ") for part in parts):
            lead = linked_lead(stage)
            stage.systems.sales.user_edit("Lead", lead, {"Title": "Somebody else"}, "rep")

    answer = perform(Teller(Form.TEXT, out=disturb), stage)
    stage.close()
    assert answer.exit_code == 1
    assert "although nothing had happened" in _text(answer.shown)


def linked_lead(stage: Stage) -> str:
    """A lead whose person marketing knows, too: an edit of it has to be written there."""
    for id in stage.systems.people(SALES, "Lead"):
        names = {link.connection for link in case_of(stage.hub, SALES, "Lead", id).links}
        if MARKETING in names:
            return id
    raise AssertionError("no lead is known to marketing")


def test_it_says_so_when_nobody_fits_a_story(tmp_path: Path) -> None:
    stage = set_up(tmp_path / ".demo", 3, SEED, SandboxClock(NOW))
    with pytest.raises(Unlike, match="nobody in .* fits the story"):
        perform(Teller(Form.JSON), stage)
    stage.close()


def test_it_touches_no_folder_that_is_not_its_own(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(Unusable, match="no folder of a demonstration"):
        set_up(tmp_path, 100, SEED, SandboxClock(NOW))
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


def test_json_is_one_document_and_nothing_else(tmp_path: Path) -> None:
    said = say("demo", "--json", "--people", "150", "--to", str(tmp_path / ".demo"))
    assert said.code == 0
    assert [story["title"] for story in said.json["stories"]][
        0
    ] == "A rep corrects an e-mail address in the CRM"
