"""From rows to the values of the model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from trueup.model.delivery import (
    UNSENT_STATES,
    Delivery,
    DeliveryState,
    Effect,
    Lane,
    OpenDelivery,
    Write,
    WriteKind,
)
from trueup.model.entity import Entity, Link, LinkState
from trueup.model.fields import Kind
from trueup.model.jsontext import dumps, loads
from trueup.store.codec import (
    moment,
    moment_or_none,
    read_agreed,
    read_quarantine,
    read_sources,
    read_times,
    read_values,
)
from trueup.store.sql import Row, Tx
from trueup.store.streams import Streams

LINK = (
    "l.id, l.stream_id, l.remote_id, l.entity_id, l.kind, l.state, l.is_primary, l.fresh, l.active,"
    " l.version, l.rev, l.seen_at, l.changed_at, d.observed, n.base, n.agreed, n.assumed, n.quarantine,"
    " n.published, l.entered, l.buried"
)
LINK_FROM = "links l left join link_docs d on d.link_id = l.id left join link_notes n on n.link_id = l.id"
_KINDS = {str(kind): kind for kind in Kind}
_STATES = {str(state): state for state in LinkState}
_WRITES = {str(kind): kind for kind in WriteKind}
_LANES = {str(lane): lane for lane in Lane}
_DELIVERED = {str(state): state for state in DeliveryState}


def link_of(row: Row, streams: Streams) -> Link:
    """A Link of the columns `LINK`."""
    connection, object = streams.names[row[1]]
    return Link(
        row[0],
        connection,
        object,
        row[2],
        row[3],
        _KINDS[row[4]],
        _STATES[row[5]],
        row[6] == 1,
        row[7] == 1,
        row[8] == 1,
        row[9],
        row[10],
        moment_or_none(row[11]),
        moment_or_none(row[12]),
        *content_of(row),
        entered=row[19] == 1,
        buried=row[20] or "",
    )


def content_of(row: Row) -> tuple[Any, Any, Any, Any, Any, Any]:
    """Observed, base, agreed, assumed, quarantine and published of the columns `LINK`."""
    observed = loads(row[13])
    if row[14:19] == _NOTHING:
        return observed, {}, {}, {}, {}, {}
    beside = (loads(row[14]), read_agreed(row[15]), loads(row[16]), read_quarantine(row[17]))
    return (observed, *beside, read_times(row[18]))


_NOTHING = (None,) * 5


def links_where(tx: Tx, streams: Streams, condition: str, *values: Any) -> list[Link]:
    """Links with what was observed, in the order that the condition names."""
    found = tx.rows(f"select {LINK} from {LINK_FROM} where {condition}", *values)
    return [link_of(row, streams) for row in found]


ENTITY = "e.id, e.kind, e.revision, e.data, e.sources, e.provisional"


def entity_of(row: Row) -> Entity:
    values = read_values(row[3])
    return Entity(row[0], _KINDS[row[1]], row[2], values, read_sources(row[4], values), row[5] == 1)


_OWN = (
    "v.id, v.stream_id, v.entity_id, v.entity_revision, v.kind, v.lane, v.state, v.gate, v.package,"
    " p.payload, v.replaced, v.attempts, v.not_before, v.run_id, v.config_version, v.created_at,"
    " v.sent_at, v.ended_at, v.job, v.error, v.code, v.failing_since"
)
_OWN_WIDTH = 22


def deliveries_where(tx: Tx, streams: Streams, condition: str, *values: Any) -> list[Delivery]:
    """Deliveries with their Links as they are now, in the order that the condition names."""
    found = tx.rows(
        f"select {_OWN}, {LINK} from deliveries v join links l on l.id = v.link_id"
        " left join delivery_docs p on p.delivery_id = v.id"
        " left join link_docs d on d.link_id = l.id left join link_notes n on n.link_id = l.id"
        f" where {condition}",
        *values,
    )
    return [delivery_of(row, streams) for row in found]


def delivery_of(row: Row, streams: Streams) -> Delivery:
    link = link_of(row[_OWN_WIDTH:], streams)
    return Delivery(
        id=row[0],
        write=_write(row, link, streams),
        link=link,
        entity_id=row[2],
        entity_revision=row[3],
        state=_DELIVERED[row[6]],
        attempts=row[11],
        not_before=moment(row[12]),
        run_id=row[13],
        config_version=row[14],
        created_at=moment(row[15]),
        sent_at=moment_or_none(row[16]),
        ended_at=moment_or_none(row[17]),
        job=row[18],
        error=row[19],
        code=row[20],
        failing_since=moment_or_none(row[21]),
    )


def _write(row: Row, link: Link, streams: Streams) -> Write:
    connection, object = streams.names[row[1]]
    values, wants, effects, upsert = read_payload(row[9])
    return Write(
        link_id=link.id,
        connection=connection,
        object=object,
        kind=_WRITES[row[4]],
        lane=_LANES[row[5]],
        values=values,
        wants=wants,
        effects=effects,
        replaced=loads(row[10]),
        gate=row[7],
        group=row[8],
        upsert=upsert,
    )


def payload(write: Write) -> str:
    """What is sent, in one text: values, wants, paths by effect, upsert key, values without a want.

    Most wants are the very text that is sent: those are not written again. Nor are the paths of an effect
    that all values have.
    """
    values, wants = write.values, write.wants
    others = {
        key: want for key, want in wants.items() if want.__class__ is not str or values.get(key) != want
    }
    without = [path for path in values if path not in wants]
    return dumps([values, others, _by_effect(write), write.upsert, without])


def _by_effect(write: Write) -> dict[str, Any]:
    each = list(write.effects.values())
    if each and each.count(each[0]) == len(each) and write.effects.keys() == write.values.keys():
        return {each[0].value: EVERY}
    effects: dict[str, list[str]] = {}
    for path, effect in write.effects.items():
        effects.setdefault(effect.value, []).append(path)
    return effects


EVERY = "*"


def read_payload(text: str | None) -> tuple[Any, dict[str, Any], dict[str, Effect], tuple[str, Any] | None]:
    """Values, wants, effects and upsert key as `payload` wrote them; all empty where it is gone."""
    if text is None:
        return {}, {}, {}, None
    values, others, effects, upsert, without = loads(text)
    wants = {
        **({path: values[path] for path in values if path not in without} if without else values),
        **others,
    }
    named: dict[str, Effect] = {}
    for effect, paths in effects.items():
        named |= dict.fromkeys(values if paths == EVERY else paths, Effect(effect))
    return values, wants, named, None if upsert is None else (upsert[0], upsert[1])


OPEN = "v.id, v.link_id, v.lane, v.kind, v.state, p.payload, v.digest"


def open_of(row: Row) -> OpenDelivery:
    values, wants, _, _ = read_payload(row[5])
    return OpenDelivery(
        row[0],
        row[1],
        _LANES[row[2]],
        _WRITES[row[3]],
        _DELIVERED[row[4]],
        wants,
        row[6].hex(),
        values,
    )


UNSENT = tuple(str(state) for state in UNSENT_STATES)


def by_entity(links: Iterable[Link]) -> Mapping[int, list[Link]]:
    groups: dict[int, list[Link]] = {}
    for link in links:
        if link.entity_id is not None:
            groups.setdefault(link.entity_id, []).append(link)
    return groups
