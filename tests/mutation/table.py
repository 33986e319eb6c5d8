"""Which modules are changed, and by which tests each is judged: small ones, near to what is decided there.

Of these tests a mutant meets those that enter its function, those that enter few others first. What takes
long by itself (convergence, kills, whole histories) is left out: `tests.simulation` has mistakes of its own
for those.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Room:
    """Modules that the same tests judge."""

    name: str
    home: str
    names: str
    tests: tuple[str, ...]

    @property
    def modules(self) -> tuple[str, ...]:
        return tuple(f"{self.home}.{name}" for name in self.names.split())


def _files(folder: str, names: str) -> tuple[str, ...]:
    return tuple(f"tests/{folder}/test_{name}.py" for name in names.split())


_RUNS = _files(
    "sync",
    "about_some awaited_companies backfill changed_addresses clearing consent_by_address"
    " consent_by_hand consent_kept consent_stays creates_that_wait deletions dormant doubt elements"
    " faults foretold founding fuses giving_up jobs keys_that_disagree late_views leaving lost_creates"
    " names notes one_write_at_a_time opt_in_and_out parents poison publishing reading_back"
    " refused_identity run shared_lists swinging tags terms typed_over",
)

ROOMS = (
    Room(
        "rules",
        "trueup.sync.rules",
        "verdict weighing evidence decide_values policy first_sight observe ledger reconcile differences"
        " creating groups guard founding lanes leaving publishing swinging backfill acknowledge aside backoff"
        " formats made recognise",
        (
            *_RUNS,
            *_files(
                "sync",
                "acknowledge addresses aside creating decide_values differences evidence first_sight"
                " formats guessed_phones kept_forms ledger observe places policy postal_addresses"
                " postal_edits postal_rights recognise retyped_phones rows_without_a_key settlements"
                " strategies turned_names verdict whole_records why_not",
            ),
        ),
    ),
    Room(
        "reading",
        "trueup.connectors",
        "paging reading stamps",
        (
            *_files("connectors", "paging places stamps manifest odd_answers rest"),
            *_files("connectors/hubspot", "reading"),
            *_files("connectors/zendesk", "reading"),
            *_files("connectors/salesforce", "reading"),
        ),
    ),
    Room(
        "addresses",
        "trueup.sync.rules",
        "addresses kinds slot_rights postal homes bare_phones guessed_phones places",
        _files(
            "sync",
            "addresses bare_phones changed_addresses consent_by_address elements fitting guessed_phones names"
            " parents places retyped_phones postal_addresses postal_edits postal_elements postal_fitting"
            " postal_rights shared_lists",
        ),
    ),
    Room(
        "names",
        "trueup.sync.rules",
        "name_halves whole_names",
        _files(
            "sync",
            "clearing consent_by_address cut_names decide_values differences first_sight name_halves names"
            " parents turned_names whole_names",
        ),
    ),
    Room(
        "lists",
        "trueup.mapping",
        "items elements",
        (
            *_files("mapping", "items postal_items apply element_lists"),
            *_files("sync", "elements shared_lists tags doubt creating addresses postal_edits"),
        ),
    ),
    Room(
        "landing",
        "trueup.sync",
        "pages inbox",
        _files(
            "sync",
            "consent_kept consent_stays creates_that_wait deletions dormant faults jobs landing"
            " late_views many_missing parents poison readings_that_take_long run",
        ),
    ),
    Room(
        "places in streams",
        "trueup.store",
        "streams land missing",
        (
            *_files("store", "audit connections land missing moves outbox rows tidy"),
            *_files(
                "sync",
                "consent_stays deletions dormant late_views many_missing parents readings_that_take_long"
                " rows_without_a_key recognise",
            ),
        ),
    ),
)
