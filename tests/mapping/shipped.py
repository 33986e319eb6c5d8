"""Every mapping that trueup ships, found by itself: a new one is taken up without another word.

Those of the connectors' folders, of each hub's folder beside the package, and of the demonstration: the
example hub over stand-ins, with the lengths, words and types that these tell of their fields.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from trueup.commands.demo_world import set_up
from trueup.config import SandboxEnvironment, load
from trueup.config.join import object_rules
from trueup.config.systems import registered_systems
from trueup.connectors.base import Capability
from trueup.connectors.registry import connectors
from trueup.mapping.apply import compile_mapping
from trueup.mapping.compiled import ObjectMapping
from trueup.model.canonical import Locale
from trueup.model.fields import TABLES, Field
from trueup.model.record import FieldSpec
from trueup.sandbox.server import SandboxClock
from trueup.services.policies import Specs, policy_of
from trueup.sync.rules.policy import Policy

ROOT = Path(__file__).resolve().parents[2]
HOME = Locale("UA", "Europe/Kyiv")


@dataclass(frozen=True)
class Shipped:
    """A mapping, the canonical fields that there are, and what is said of the remote ones."""

    mapping: ObjectMapping
    table: Mapping[str, Field]
    specs: Mapping[str, FieldSpec]


def defaults() -> Iterator[tuple[str, Shipped]]:
    """The default mapping of each connector, with what its manifest says of the fields."""
    for name, system in registered_systems().items():
        for object, said in system.mapping.items():
            rules = object_rules(object, said)
            if rules.kind is not None:
                known, table = system.objects.get(object), TABLES[rules.kind]
                specs = known.fields if known else {}
                mapping = compile_mapping(name, rules, table, HOME, specs)
                yield f"{name} {object}", Shipped(mapping, table, specs)


def hubs() -> Iterator[Path]:
    """The folders with a hub's configuration, apart from those of tests and what was made by running it."""
    for file in sorted(ROOT.rglob("hub.yaml")):
        inside = file.relative_to(ROOT).parts
        if inside[0] != "tests" and not any(part.startswith(".") for part in inside):
            yield file.parent


def of_hub(folder: Path) -> Iterator[tuple[str, Shipped]]:
    """What its files make, with what the manifests say of the fields."""
    config, systems = load(folder, SandboxEnvironment({})), registered_systems()
    specs = {
        (name, object): known.fields
        for name, connection in config.connections.items()
        for object, known in systems[connection.connector].objects.items()
    }
    yield from _of_policy(folder.name, policy_of(config, specs, {}), specs)


def of_demo(folder: Path) -> Iterator[tuple[str, Shipped]]:
    """What the demonstration works with."""
    stage = set_up(folder, people=30, seed=1, clock=SandboxClock())
    try:
        parts = stage.hub.parts
        specs = {
            stream: {one.name: one for one in parts.connectors[stream[0]].fields(stream[1])}
            for stream, spec in parts.specs.items()
            if Capability.SCHEMA in spec.capabilities
        }
        yield from _of_policy("demo", parts.policy, specs)
    finally:
        stage.close()


def _of_policy(where: str, policy: Policy, specs: Specs) -> Iterator[tuple[str, Shipped]]:
    for stream, mapping in policy.mappings.items():
        shipped = Shipped(mapping, policy.tables[mapping.kind], specs.get(stream, {}))
        yield f"{where}: {' '.join(stream)}", shipped


def all_shipped(folder: Path) -> Mapping[str, Shipped]:
    """By a name that tells where it stands."""
    return dict([*defaults(), *(one for hub in hubs() for one in of_hub(hub)), *of_demo(folder)])


def with_a_mapping() -> set[str]:
    """The connectors whose folder holds a default mapping."""
    return {name for name, kind in connectors().items() if kind.mapping_file.exists()}
