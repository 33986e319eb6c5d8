"""Lists of objects: `[{value, type, label, primary}, …]`, as many systems hold e-mails, phones and addresses.

An item stands for one element of a set, with its kind, its label and whether it is the primary one. Where the
element is a postal address the item holds it by its parts (`street`, `city`, …). What else
an item holds is the system's own: it is neither read nor lost. An item that is no element (an empty one), a
kind without a word of ours and a label of no use stay as they are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from trueup.mapping.elements import at, laid, said_only
from trueup.mapping.schema import ItemRule
from trueup.mapping.words import Codec, word_key
from trueup.model.canonical import Locale, element_key, parser
from trueup.model.canonical.postal import parts_of, put_right
from trueup.model.canonical.reading import MAX_ELEMENTS, as_set
from trueup.model.fields import CONTACT, KIND, KINDS, LABEL, PRIMARY, Field, attribute, label_field
from trueup.model.record import Json
from trueup.model.slots import FIELDS, held_in, laid_into
from trueup.model.values import ABSENT, Absent, Rejected, Type, Value


@dataclass(frozen=True, slots=True)
class Element:
    """One item as read. `kind` and `label`: ABSENT where it holds something that we have no word for."""

    key: str
    value: Value
    item: Json
    kind: Value | Absent
    label: Value | Absent
    primary: bool


@dataclass(frozen=True, slots=True)
class Items:
    """How one list of objects is read and written. `many` is the set, `primary` the slot of the primary one
    (empty where the items do not tell), `one` reads and writes the value of an item (of a postal address its
    parts by name)."""

    many: str
    primary: str
    type: Type
    rule: ItemRule
    one: Codec
    words: Mapping[str, Json]
    kinds: Mapping[Json, str]
    labels: Codec

    @property
    def fields(self) -> tuple[str, ...]:
        """The set, and the fields of the primary one as far as the items hold them."""
        return (self.many, *self._of_primary())

    def _of_primary(self) -> tuple[str, ...]:
        names = FIELDS[self.primary] if self.primary else ()
        held = {f"{self.primary}.{part}" for part in self.rule.parts}
        return names if len(names) <= 1 else tuple(name for name in names if name in held)

    # -- reading ------------------------------------------------------------------------------------

    def read(self, raw: Json) -> Mapping[str, Value] | Rejected:
        """The set, the primary one, and kind and label of each element. Bad items reject the whole list."""
        elements = self._elements(raw)
        if isinstance(elements, Rejected):
            return elements
        found = as_set(self.type.element, [one.value for one in elements])
        if isinstance(found, Rejected):
            return found
        said: dict[str, Value] = {self.many: found}
        if self.primary:
            said.update(self._primary(elements))
        for one in elements:
            for name, value in self._attributes(one):
                if said.get(name) is None:
                    said[name] = value
        return said

    def _elements(self, raw: Json) -> list[Element] | Rejected:
        if raw is None:
            return []
        if not isinstance(raw, list):
            return Rejected("expected a list of objects")
        if len(raw) > MAX_ELEMENTS:
            return Rejected(f"a list of more than {MAX_ELEMENTS:,} elements", "TU-VAL-002")
        found: list[Element] = []
        for position, item in enumerate(raw, 1):
            one = self._element(item)
            if isinstance(one, Rejected):
                return Rejected(f"element {position}: {one.reason}", one.code)
            if one is not None:
                found.append(one)
        return found

    def _element(self, item: Json) -> Element | Rejected | None:
        if not isinstance(item, dict):
            return Rejected("expected an object")
        raw = _held(item, self.rule)
        value = None if raw is None else self.one.read(raw)
        if value is None or value is ABSENT or isinstance(value, Rejected):
            return value if isinstance(value, Rejected) else None
        flag = at(item, self.rule.primary) if self.rule.primary else False
        key = element_key(self.type)(value)
        return Element(key, value, item, self._kind(item), self._label(item), word_key(flag) in _YES)

    def _kind(self, item: Json) -> Value | Absent:
        word = word_key(at(item, self.rule.kind)) if self.rule.kind else ABSENT
        return None if word in (None, "") else self.kinds.get(word, ABSENT)

    def _label(self, item: Json) -> Value | Absent:
        label = self.labels.read(at(item, self.rule.label)) if self.rule.label else ABSENT
        return ABSENT if isinstance(label, Rejected) else label

    def _primary(self, elements: Sequence[Element]) -> Mapping[str, Value]:
        """Where no item is marked the system does not say which is the primary one."""
        marked = self._marked(elements)
        if elements and marked is None:
            return {}
        names, value = self._of_primary(), marked.value if marked is not None else None
        return {name: part for name, part in laid_into(self.primary, value) if name in names}

    def _marked(self, elements: Sequence[Element]) -> Element | None:
        """The primary one: of several marked ones that with the first id, however they are listed."""
        marked, id = [one for one in elements if one.primary], self.rule.id
        return min(marked, key=lambda one: str(at(one.item, id)) if id else "", default=None)

    def _attributes(self, one: Element) -> Iterator[tuple[str, Value]]:
        for what, value in ((KIND, one.kind), (LABEL, one.label)):
            if value is not ABSENT:
                yield attribute(self.many, one.key, what), value

    # -- writing ------------------------------------------------------------------------------------

    def write(self, values: Mapping[str, Value]) -> Json | Rejected:
        """All items that the system is to hold, with what the hub knows of them (None: nothing)."""
        items: list[Json] = []
        for value in values.get(self.many) or ():
            word = self.one.write(value)
            if isinstance(word, Rejected):
                return word
            if word is not None and word is not ABSENT:
                items.append(self._item(word, element_key(self.type)(value), values))
        return items or None

    def _item(self, word: Json, key: str, values: Mapping[str, Value]) -> dict[str, Json]:
        item: dict[str, Json] = {}
        _put(item, self.rule, word)
        kind = kind_of(self.many, key, values) if self.rule.kind else None
        if self.rule.kind:
            _set(item, self.rule.kind, None if kind is None else self.words.get(kind))
        if self.rule.label:
            label = values.get(attribute(self.many, key, LABEL))
            _set(item, self.rule.label, None if label is None else self.labels.write(label))
        if self.primary:
            primary = held_in(self.primary, values)
            _set(item, self.rule.primary, primary is not None and element_key(self.type)(primary) == key)
        return item

    def made(self, items: Sequence[Json]) -> list[Json]:
        """These items in a new record: without what is empty."""
        return [said_only(item) for item in items]

    # -- changes ------------------------------------------------------------------------------------

    def change(self, standing: Json, wanted: Json) -> dict[str, Json]:
        """What turns the standing list into the wanted one, item by item, each named by id and value."""
        there, here = self._known(standing), {one.key: one for one in self._known(wanted)}
        tells = self._ids_tell(standing)
        parts = self._compared(there, list(here.values()))
        known: dict[str, list[Element]] = {}
        for one in there:
            known.setdefault(one.key, []).append(one)
        add = [
            item
            for key, some in known.items()
            if key in here
            for item in self._changes(some, here[key], parts, tells)
        ]
        new = [one for key, one in here.items() if key not in known]
        right = self._corrected([one for one in there if one.key not in here], new) if tells else {}
        add += [self._put_right(*right[one.key]) if one.key in right else said_only(one.item) for one in new]
        put_right = [old for old, _ in right.values()]
        remove = [self._name(one, tells) for one in there if one.key not in here and one not in put_right]
        by = [[self.rule.id], list(self.rule.paths)] if tells else [list(self.rule.paths)]
        return {"+": add, "-": remove, "by": by}

    def _ids_tell(self, standing: Json) -> bool:
        """Whether every item has an id of its own: else what they hold tells which one is meant."""
        items = standing if isinstance(standing, list) else []
        ids = [str(id) for one in items if (id := at(one, self.rule.id)) is not None] if self.rule.id else []
        return bool(self.rule.id) and len(items) == len(set(ids))

    def _corrected(
        self, gone: Sequence[Element], new: Sequence[Element]
    ) -> dict[str, tuple[Element, Element]]:
        """By key, new postal addresses that are old ones put right: the item of the old one, named by its id,
        becomes the new one, so that what refers to it still does."""
        if not self.rule.parts:
            return {}
        named = (one for one in gone if self.rule.id and at(one.item, self.rule.id) is not None)
        left, come = {one.value: one for one in named}, {one.value: one for one in new}
        pairs = put_right((one.value for one in gone), come)
        return {come[one].key: (left[old], come[one]) for one, old in pairs.items() if old in left}

    def _put_right(self, old: Element, new: Element) -> dict[str, Json]:
        """The item of `old` as it is to be; what the hub does not tell of it stays."""
        item: dict[str, Json] = {}
        _set(item, self.rule.id, at(old.item, self.rule.id))
        parts = [part for part in ("kind", "label", "primary") if getattr(self.rule, part)]
        moved = [getattr(self.rule, part) for part in parts if _differs(old, new, part)]
        for path in (*self.rule.paths, *moved):
            _set(item, path, at(new.item, path))
        return item

    def _compared(self, there: Sequence[Element], here: Sequence[Element]) -> Sequence[str]:
        """The parts that are compared; marks only where another item is to be the primary one."""
        first, second = (self._marked(some) for some in (there, here))
        same = (first and first.key) == (second and second.key)
        return ("kind", "label") if same else ("kind", "label", "primary")

    def tells(self, has: Mapping[str, Value]) -> bool:
        """Whether what was read tells which element is the primary one, where items can do so."""
        return not self.primary or any(name in has for name in self._of_primary())

    def holds(self, standing: Json, wanted: Json) -> bool:
        """Whether nothing has to be changed for the wanted list to stand there."""
        change = self.change(standing, wanted)
        return not change["+"] and not change["-"]

    def _known(self, raw: Json) -> list[Element]:
        """The elements, none where the list cannot be read."""
        found = self._elements(raw)
        return [] if isinstance(found, Rejected) else found

    def _name(self, one: Element, by_id: bool) -> dict[str, Json]:
        named: dict[str, Json] = {}
        for path in (self.rule.id if by_id else "", *self.rule.paths):
            if path and (value := at(one.item, path)) is not None:
                _set(named, path, value)
        return named

    def _changes(
        self, there: Sequence[Element], wanted: Element, parts: Sequence[str], by_id: bool
    ) -> Iterator[Json]:
        """What the items of one element are to hold otherwise, each with its name."""
        told = _united(there)
        moved = [part for part in parts if getattr(self.rule, part) and _differs(told, wanted, part)]
        for number, one in enumerate(there):
            item: dict[str, Json] = {}
            for part in moved:
                if number == 0 or (getattr(one, part) and _differs(one, wanted, part)):
                    path = getattr(self.rule, part)
                    _set(item, path, at(wanted.item, path))
            if item:
                yield laid(self._name(one, by_id), item)

    # -- in the hub ---------------------------------------------------------------------------------

    def hub(self, values: Mapping[str, Value]) -> Value:
        """What the hub holds of all this, by field; None where it holds no element."""
        held = values.get(self.many)
        if not held:
            return None
        found = {self.many: held}
        if self.primary:
            found.update((name, values.get(name)) for name in FIELDS[self.primary])
        for key in map(element_key(self.type), held):
            if self.rule.kind:
                found[attribute(self.many, key, KIND)] = kind_of(self.many, key, values)
            if self.rule.label:
                name = attribute(self.many, key, LABEL)
                found[name] = values.get(name)
        return {name: value for name, value in found.items() if value is not None}

    def type_of(self, name: str) -> Type:
        """The type of one of the fields that this list carries."""
        if name == self.many:
            return self.type
        return CONTACT[name].type if self.primary and name in FIELDS[self.primary] else Type.TEXT


_YES = ("true", "1", "yes", "y")


def items_of(field: Field, rule: ItemRule, one: Codec, locale: Locale) -> Items:
    """The items of a set. `one` reads and writes the value of an item."""
    primary = PRIMARY[field.name] if rule.primary else ""
    label = label_field(field.name, LABEL)
    words = rule.kinds or {kind: (kind,) for kind in KINDS[field.name]}
    kinds = {word_key(word): kind for kind, some in reversed([*words.items()]) for word in some}
    written = {kind: some[0] for kind, some in words.items() if some}
    labels = Codec(parser(label, locale), _as_it_is)
    return Items(field.name, primary, field.type, rule, one, written, kinds, labels)


def kind_of(many: str, key: str, values: Mapping[str, Value]) -> Value:
    """The kind that the hub knows of an element: told, or by the slot in which it stands. None for none."""
    told = values.get(attribute(many, key, KIND), ABSENT)
    if told is not ABSENT:
        return told
    same = element_key(CONTACT[many].type)
    slots = ((kind, held_in(f"{many}.{kind}", values)) for kind in KINDS[many])
    return next((kind for kind, value in slots if value is not None and same(value) == key), None)


def postal_codec(field: Field, locale: Locale) -> Codec:
    """Of a postal address: its parts by name, there as here."""
    return Codec(parser(field, locale), parts_of)


def _as_it_is(text: Value) -> Json:
    return text


def _held(item: Json, rule: ItemRule) -> Json:
    """What an item holds of the element: its value, or the parts of an address by name (None: nothing)."""
    if rule.value:
        return at(item, rule.value)
    held = {part: at(item, path) for part, path in rule.parts.items()}
    more = held.pop("line2", None)
    if more not in (None, ""):
        held["street"] = more if held.get("street") in (None, "") else _lines(held["street"], more)
    return None if all(value is None for value in held.values()) else held


def _lines(first: Json, more: Json) -> Json:
    return f"{first}\n{more}" if isinstance(first, str) and isinstance(more, str) else [first, more]


def _put(item: dict[str, Json], rule: ItemRule, word: Json) -> None:
    """Lay the element into a new item: of an address every part that items hold, empty ones too."""
    if rule.value:
        _set(item, rule.value, word)
        return
    held = dict(word)
    if rule.line2:
        held["street"], _, held["line2"] = str(held.get("street") or "").partition("\n")
    for part, path in rule.parts.items():
        _set(item, path, held.get(part) or None)


def _differs(there: Element, wanted: Element, part: str) -> bool:
    return getattr(there, part) not in (ABSENT, getattr(wanted, part))


def _united(several: Sequence[Element]) -> Element:
    """The first of several items of one element, with what any of them tells."""
    if len(several) == 1:
        return several[0]
    kind, label = (
        next((told for told in some if told), some[0])
        for some in ([one.kind for one in several], [one.label for one in several])
    )
    return replace(several[0], kind=kind, label=label, primary=any(one.primary for one in several))


def _set(item: dict[str, Json], path: str, value: Json) -> None:
    *above, last = path.split(".")
    for step in above:
        item = item.setdefault(step, {})
    item[last] = value
