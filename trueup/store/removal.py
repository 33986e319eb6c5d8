"""Connections that get another name, or go."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from trueup.errors import ConfigError, Problem
from trueup.model.consent import ConsentEvent, ConsentState
from trueup.model.plan import Case
from trueup.store.addresses import remember_consent
from trueup.store.audit import note
from trueup.store.codec import micros, rename_sources
from trueup.store.decide import load
from trueup.store.marks import mark_due
from trueup.store.moves import close, supersede
from trueup.store.sql import Tx
from trueup.store.streams import connection_id
from trueup.sync.rules import ledger

_LINKS = "stream_id in (select id from streams where connection_id = ?)"
_CHUNK = 1000


def rename_connection(tx: Tx, old: str, new: str, user: str, at: datetime) -> int:
    """Streams, links and deliveries follow by id; names inside consent and provenance are rewritten."""
    id = connection_id(tx, old)
    if tx.row("select 1 from connections where name = ?", new) is not None:
        problem = Problem("", 0, 0, f"connection {old} cannot become {new}: the hub knows a {new} already")
        raise ConfigError([problem])
    tx.run("update connections set name = ? where id = ?", new, id)
    tx.run(
        "update consent_events set subject = ? || substr(subject, ?)"
        " where subject_kind = 'ref' and substr(subject, 1, ?) = ?",
        f"{new}/",
        len(old) + 2,
        len(old) + 1,
        f"{old}/",
    )
    tx.run("update consent_events set source = ? where source = ?", new, old)
    _rename_sources(tx, old, new)
    found = tx.row(f"select count(*) from links where {_LINKS}", id)
    count = 0 if found is None else int(found[0])
    note(tx, user, "connections rename", old, {"to": new, "links": count}, at)
    return count


def _rename_sources(tx: Tx, old: str, new: str) -> None:
    after = 0
    while True:
        rows = tx.rows("select id, sources from entities where id > ? order by id limit ?", after, _CHUNK)
        if not rows:
            return
        after = rows[-1][0]
        renamed = [(id, rename_sources(text, old, new)) for id, text in rows if old in text]
        tx.update("entities", ("id",), ("sources",), renamed)


def remove_connection(tx: Tx, name: str, user: str, at: datetime) -> int:
    """Its links sleep and belong to nobody; what was under way is closed. Entities are decided anew.

    A connection of this name that is configured again wakes them as strangers. An opt-out that only its
    records showed stays with the contact's addresses and other records.
    """
    id = connection_id(tx, name)
    supersede(tx, _LINKS, id)
    under_way = [one for (one,) in tx.rows(f"select id from deliveries where open = 1 and {_LINKS}", id)]
    tx.run(
        "update deliveries set ended_at = ?, error = 'its connection was removed' where id in ints(?)",
        micros(at),
        under_way,
    )
    close(tx, under_way, "overtaken")
    _keep_opt_outs(tx, name, id)
    found = tx.rows(
        f"select distinct entity_id from links where entity_id is not null and {_LINKS} order by entity_id",
        id,
    )
    tx.run(f"delete from match_keys where link_id in (select id from links where {_LINKS})", id)
    count = tx.run(
        "update links set entity_id = null, state = 'dormant', fresh = 1, withheld = 0, rev = rev + 1"
        f" where entity_id is not null and {_LINKS}",
        id,
    )
    for table in ("link_notes", "link_missed"):
        tx.run(f"delete from {table} where link_id in (select id from links where {_LINKS})", id)
    tx.run(f"delete from formats where {_LINKS}", id)
    tx.run("update connections set configured = 0, released_at = null, approved_at = null where id = ?", id)
    mark_due(tx, [entity for (entity,) in found], "unlinked")
    note(tx, user, "connections remove", name, {"links": count}, at)
    return count


def _keep_opt_outs(tx: Tx, name: str, id: int) -> None:
    after = 0
    while True:
        rows = tx.rows(
            f"select distinct entity_id from links where entity_id > ? and {_LINKS}"
            " order by entity_id limit ?",
            after,
            id,
            _CHUNK,
        )
        if not rows:
            return
        after = rows[-1][0]
        cases = load(tx, [entity for (entity,) in rows])
        remember_consent(tx, [event for case in cases for event in _left_behind(case, name)])


def _left_behind(case: Case, name: str) -> Iterator[ConsentEvent]:
    """Opt-outs that stand and that records of this connection showed, for what is left of the contact."""
    links = [link for link in case.links if link.connection != name and link.remote_id is not None]
    refs = [("ref", f"{link.connection}/{link.object}/{link.remote_id}") for link in links]
    for event in case.consent:
        stands = ledger.state(case.consent, event.channel, event.purpose) is ConsentState.OPTED_OUT
        shown_here = event.subject_kind == "ref" and event.subject.startswith(f"{name}/")
        if stands and shown_here and event.state is ConsentState.OPTED_OUT:
            addresses = sorted(ledger.addresses_of(event.channel, case.entity.values))
            for kind, subject in [*refs, *(("address", key) for key in addresses)]:
                yield replace(event, subject_kind=kind, subject=subject)
