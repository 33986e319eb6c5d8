"""examples.yaml: golden records, run by `trueup check`.

    - name: a rep's recycling goes to marketing
      given:
        sales: {Lead: {Email: ann@example.com, LastName: Lee, Status: Recycled}}
        marketing: {contacts: {email: ann@example.com, lifecyclestage: marketingqualifiedlead}}
      before: {stage: mql}
      expect:
        contact: {email: ann@example.com, last_name: Lee}
        stage: recycled
        consent: {email.marketing: unknown}
        written: {marketing: {contacts: {lifecyclestage: lead}}}

All records of one example belong to one person. An object may have a list of records.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trueup.config.scalars import AnyJson, Text, words
from trueup.config.settings import Example, ExampleRecord
from trueup.config.shapes import Either, Key, ListOf, MapOf, Struct
from trueup.model.record import Json

_RECORD = MapOf(AnyJson(), "a block of remote fields")
_RECORDS = MapOf(MapOf(Either(ListOf(_RECORD), _RECORD), "a block of objects"), "a block of connections")
Said = Mapping[str, Mapping[str, Any]]


def _records(said: Said) -> tuple[ExampleRecord, ...]:
    return tuple(
        ExampleRecord(connection, object, values)
        for connection, objects in said.items()
        for object, one_or_more in objects.items()
        for values in (one_or_more if isinstance(one_or_more, tuple) else (one_or_more,))
    )


def _expect(written: Said, **said: Any) -> Mapping[str, Any]:
    return {**said, "written": _records(written)}


_EXPECT = Struct(
    "expect",
    _expect,
    {
        "contact": Key(MapOf(AnyJson(), "a block of fields"), "values of the contact; null: nothing", {}),
        "stage": Key(Text("a stage"), "the stage after it"),
        "consent": Key(
            MapOf(words("opted_out", "opted_in", "unknown", wanted="a state of consent")),
            "per channel.purpose",
            {},
        ),
        "written": Key(_RECORDS, "what would be written, per connection and object", {}),
    },
)


def _example(
    name: str, given: Said, before: Mapping[str, Json], expect: Mapping[str, Any], origin: str
) -> Example:
    return Example(name, _records(given), before, origin=origin, **expect)


EXAMPLES = ListOf(
    Struct(
        "example",
        _example,
        {
            "name": Key(Text("a sentence"), "what it shows, as a sentence", required=True),
            "given": Key(_RECORDS, "remote records, per connection and object", required=True),
            "before": Key(MapOf(AnyJson(), "a block of fields"), "what the hub holds already", {}),
            "expect": Key(
                _EXPECT, "what must follow; nothing is expected of what is not named", required=True
            ),
        },
        place=True,
    ),
    "a list of examples",
)
