"""JSON Schemas of the configuration files, for editors: made from the same descriptions that read them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from trueup.config.connection_schema import with_connectors
from trueup.config.files.connection import CONNECTION
from trueup.config.files.dedupe import DEDUPE
from trueup.config.files.examples import EXAMPLES
from trueup.config.files.hub import HUB
from trueup.config.files.lifecycle import LIFECYCLE
from trueup.config.scalars import Shape
from trueup.config.systems import registered_systems
from trueup.model.record import Json

_TITLES = {
    "hub": "hub.yaml: what holds for every connection",
    "connection": "connections/NAME.yaml: one connected system",
    "lifecycle": "lifecycle.yaml: stages and the ways between them",
    "dedupe": "dedupe.yaml: decisions about matching",
    "examples": "examples.yaml: golden records",
}


def schemas() -> Mapping[str, Json]:
    """The schema of each kind of file, by name."""
    shapes: dict[str, Shape[Any]] = {
        "hub": HUB,
        "connection": CONNECTION,
        "lifecycle": LIFECYCLE,
        "dedupe": DEDUPE,
        "examples": EXAMPLES,
    }
    made = {name: shape.schema() for name, shape in shapes.items()}
    made["connection"] = with_connectors(made["connection"], registered_systems())
    head = "https://json-schema.org/draft/2020-12/schema"
    return {name: {"$schema": head, "title": _TITLES[name], **schema} for name, schema in made.items()}


def write_schemas(folder: Path) -> tuple[Path, ...]:
    """Write NAME.json for every kind of file; gives the paths written."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, schema in schemas().items():
        path = folder / f"{name}.json"
        path.write_text(json.dumps(schema, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        written.append(path)
    return tuple(written)
