"""What the checks work on, and where they write down what they find."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from trueup.config.codes import Code
from trueup.config.nodes import Mark, Node, Step
from trueup.config.said import SaidConnection
from trueup.config.settings import Connection, HubConfig
from trueup.config.systems import System, Systems
from trueup.errors import Problem


@dataclass(slots=True)
class Report:
    """One round of checks."""

    config: HubConfig
    systems: Systems
    said: Mapping[str, SaidConnection]
    problems: list[Problem] = field(default_factory=list)

    def system(self, connection: Connection) -> System | None:
        return self.systems.get(connection.connector)

    def said_fields(self, object: str, file: str) -> tuple[str, ...]:
        """The fields that a connection's own file maps in an object."""
        said = self.said[file.removeprefix("connections/")].objects.get(object)
        return tuple(said.fields) if said else ()

    def said_without(self, object: str, file: str) -> tuple[str, ...]:
        said = self.said[file.removeprefix("connections/")].objects.get(object)
        return said.without if said else ()

    def has(self, file: str, *path: Step) -> bool:
        return self.node(file, *path) is not None

    def node(self, file: str, *path: Step) -> Node | None:
        document = self.config.documents.get(file)
        return document.node(*path) if document else None

    def at_key(self, file: str, path: tuple[Step, ...], code: Code, message: str, **more: str) -> None:
        """A problem at the key that ends `path`."""
        document = self.config.documents.get(file)
        if document is not None:
            self.at(file, document.key_mark(*path), code, message, **more)

    def at_value(self, file: str, path: tuple[Step, ...], code: Code, message: str, **more: str) -> None:
        """A problem at the value that `path` leads to."""
        document = self.config.documents.get(file)
        if document is not None:
            self.at(file, document.mark(*path), code, message, **more)

    def at(self, file: str, mark: Mark, code: Code, message: str, **more: str) -> None:
        document = self.config.documents[file]
        self.problems.append(
            document.problem(
                mark,
                code,
                message,
                hint=more.get("hint", ""),
                allowed=more.get("allowed", ""),
                remedy=more.get("remedy", ""),
            )
        )
