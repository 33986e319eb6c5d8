"""examples.yaml: golden records, parsed into what the services run."""

from __future__ import annotations

from pathlib import Path

from tests.config.hubs import example_hub, loaded
from trueup.config.settings import Example, ExampleRecord

_TEXT = """
- name: a rep's recycling goes to marketing
  given:
    sales: {Lead: {Email: ann@example.com, LastName: Lee, Status: Recycled}}
    marketing:
      contacts:
        - {email: ann@example.com, lifecyclestage: marketingqualifiedlead}
        - {email: ann@example.org, lifecyclestage: lead}
  before: {stage: mql}
  expect:
    contact: {email: ann@example.com, last_name: Lee, birthday: null}
    stage: recycled
    consent: {email.marketing: unknown}
    written: {marketing: {contacts: {lifecyclestage: lead}}}
"""


def test_an_example_names_records_what_was_before_and_what_must_follow(tmp_path: Path) -> None:
    hub = example_hub(tmp_path)
    (hub / "examples.yaml").write_text(_TEXT, encoding="utf-8")
    (example,) = loaded(hub).examples
    assert example == Example(
        name="a rep's recycling goes to marketing",
        given=(
            ExampleRecord(
                "sales", "Lead", {"Email": "ann@example.com", "LastName": "Lee", "Status": "Recycled"}
            ),
            ExampleRecord(
                "marketing",
                "contacts",
                {"email": "ann@example.com", "lifecyclestage": "marketingqualifiedlead"},
            ),
            ExampleRecord("marketing", "contacts", {"email": "ann@example.org", "lifecyclestage": "lead"}),
        ),
        before={"stage": "mql"},
        contact={"email": "ann@example.com", "last_name": "Lee", "birthday": None},
        stage="recycled",
        consent={"email.marketing": "unknown"},
        written=(ExampleRecord("marketing", "contacts", {"lifecyclestage": "lead"}),),
        origin="config/examples.yaml:2",
    )
