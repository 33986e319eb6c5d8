"""What a system says about its fields, and who it says we are; by the manifest."""

from __future__ import annotations

from dataclasses import replace

from trueup.connectors import manifest as words
from trueup.connectors.base import Capability, ObjectSpec
from trueup.connectors.paging import first_after, next_after, rows_of
from trueup.connectors.paths import path
from trueup.connectors.session import Session
from trueup.errors import Malformed, Unauthorized
from trueup.model.record import FieldSpec, Json

_MOST_PAGES = 200
_SIGNS = {"list": "", "semicolon": ";", "comma": ","}


def joined_by(formats: words.Formats) -> str:
    """The sign between the options of a multi-choice field, empty where they are a list."""
    return _SIGNS[formats.multi_choice]


def object_specs(manifest: words.Manifest) -> dict[str, ObjectSpec]:
    """What the manifest promises about each object, before anything is asked."""
    sign = joined_by(manifest.formats)
    return {name: _object_spec(name, spec, sign) for name, spec in manifest.objects.items()}


def _object_spec(name: str, spec: words.Object, sign: str) -> ObjectSpec:
    many = spec.read.many if spec.read is not None else None
    batches = [write.batch for write in (spec.write.create, spec.write.update) if write is not None]
    return ObjectSpec(
        name,
        spec.kind,
        frozenset(Capability(capability) for capability in spec.capabilities),
        read_batch=many.batch if many is not None else 1,
        write_batch=min(batches, default=1),
        lag=spec.lag,
        lookback=spec.changes.since.lookback if spec.changes is not None else 0.0,
        keys=tuple(spec.keys),
        required=tuple(spec.required),
        merge_undo=spec.merge_undo,
        ids=spec.ids,
        fields={field.name: field for field in static_fields(spec, sign)},
    )


def static_fields(spec: words.Object, sign: str) -> list[FieldSpec]:
    """The fields that the manifest itself describes; `sign` as in `joined_by`."""
    return [
        FieldSpec(
            name,
            field.label or name,
            field.type,
            field.writable,
            field.required,
            field.unique,
            field.max_length,
            field.options,
            tuple(field.reference_to),
            sign,
        )
        for name, field in spec.fields.items()
    ]


def fields(session: Session, object: str) -> list[FieldSpec]:
    """Live metadata with the manifest's own fields; those of the manifest win."""
    spec = session.object(object)
    sign = joined_by(session.manifest.formats)
    known = {field.name: field for field in static_fields(spec, sign)}
    if spec.metadata is None:
        return list(known.values())
    live = {field.name: replace(field, joined_by=sign) for field in _live(session, object, spec.metadata)}
    return list({**live, **known}.values())


def _live(session: Session, object: str, metadata: words.Metadata) -> list[FieldSpec]:
    stream, found = metadata.stream, []
    after = first_after(stream.paging)
    for _ in range(_MOST_PAGES):
        put: dict[str, Json] = {"object": object, "limit": stream.size}
        if after is not None:
            put["after"] = after
        answer = session.ask(stream.request, put, f"{object}.fields")
        rows = rows_of(stream.records, answer)
        found += [field for row in rows if (field := _field(metadata, row)) is not None]
        after = next_after(stream, metadata.name, answer, rows, after)
        if after is None:
            return found
    raise Malformed("the field descriptions never end", connection=session.settings.name)


def _field(metadata: words.Metadata, row: Json) -> FieldSpec | None:
    name = path(metadata.name)(row)
    if not isinstance(name, str) or not name:
        return None
    length = path(metadata.max_length)(row)
    kind = str(path(metadata.type)(row))
    return FieldSpec(
        metadata.prefix + name,
        str(path(metadata.label)(row) or name),
        metadata.types.get(kind) or metadata.types.get(kind.partition(".")[0], "unknown"),
        not metadata.writable or bool(path(metadata.writable)(row)),
        bool(path(metadata.required)(row)),
        bool(path(metadata.unique)(row)),
        length if isinstance(length, int) and length > 0 else None,
        _options(metadata, path(metadata.options)(row)),
        _names(path(metadata.reference_to)(row)),
    )


def _options(metadata: words.Metadata, options: Json) -> dict[str, str]:
    found = {}
    for option in options if isinstance(options, list) else []:
        value = path(metadata.option_value)(option)
        if value is not None:
            found[str(value)] = str(path(metadata.option_label)(option) or value)
    return found


def _names(value: Json) -> tuple[str, ...]:
    return tuple(str(name) for name in value) if isinstance(value, list) else ()


def whoami(session: Session) -> str:
    """A sentence naming the account. Raises Unauthorized where no account answers."""
    asked = session.manifest.whoami
    answer = session.ask(asked.request, {}, "whoami")
    name = path(asked.name)(answer.body)
    if name in (None, ""):
        raise Unauthorized(
            "the answer names no account",
            connection=session.settings.name,
            operation="whoami",
            remedy="check that the address and the credentials belong together",
        )
    return f"{session.manifest.title}: {name}"
