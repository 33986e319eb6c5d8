"""What is written down in a compact form reads back as it was."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from trueup.model.delivery import Effect, Lane, Write, WriteKind
from trueup.model.entity import NEVER, Agreed
from trueup.model.values import ABSENT
from trueup.store.codec import read_agreed, write_agreed
from trueup.store.rows import payload, read_payload

PATHS = st.sampled_from(["a", "b", "c", "d"])
VALUES = st.sampled_from(["x", "1", "", None, 1, True, 1.0, ["x"], {"+": ["x"]}])
LEFT_OUT = st.one_of(st.just(ABSENT), VALUES)


@given(st.dictionaries(PATHS, VALUES), st.dictionaries(PATHS, VALUES), st.data())
def test_a_payload_reads_back_as_it_was(
    values: dict[str, object], wants: dict[str, object], data: st.DataObject
) -> None:
    effects = data.draw(st.dictionaries(PATHS, st.sampled_from(Effect)))
    upsert = data.draw(st.sampled_from([None, ("a", "x")]))
    write = Write(1, "shop", "contacts", WriteKind.UPDATE, Lane.NORMAL, values, wants, effects, upsert=upsert)
    assert repr_of(*read_payload(payload(write))) == repr_of(values, wants, effects, upsert)


def repr_of(*parts: object) -> list[str]:
    """As text, so that 1, 1.0 and True are three values."""
    return [repr(sorted(part.items(), key=str) if isinstance(part, dict) else part) for part in parts]


def test_what_is_sent_and_wanted_alike_is_written_once() -> None:
    values = {"email": "ann@example.com", "country": "Germany"}
    wants = {"email": "ann@example.com", "country": "DE"}
    fills = dict.fromkeys(values, Effect.FILL)
    text = payload(Write(0, "shop", "contacts", WriteKind.CREATE, Lane.NORMAL, values, wants, fills))
    assert text.count("ann@example.com") == 1
    assert text.count("email") == 1


@given(st.sampled_from(["x", 1, NEVER]), VALUES, st.booleans(), st.booleans(), LEFT_OUT, LEFT_OUT)
def test_an_agreement_reads_back_as_it_was(
    hub: object, remote: object, withheld: bool, left: bool, lost: object, unheard: object
) -> None:
    agreed = {"a": Agreed(hub, remote, withheld, left, lost, unheard)}
    assert repr(read_agreed(write_agreed(agreed))) == repr(agreed)
