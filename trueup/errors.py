"""Every exception of trueup, by what happens next.

TrueupError
├── ConfigError              the files are wrong: all problems at once            exit 2
├── ConnectorError           a system answered, or failed to; says which and during what
│   ├── Transient            certainly not applied: try later (`retry_after` seconds, if told)
│   │   └── RateLimited      the whole connection waits
│   ├── OutcomeUnknown       sent, answer lost: read before acting again
│   ├── Stale                the record moved since we saw it: read, decide again
│   ├── Gone                 deleted, or merged into `successor`
│   ├── Refused              the system will not store these fields as they are
│   ├── Unauthorized         credentials or permission: pause the connection, tell a person
│   └── Malformed            the answer is not what the system promises (an HTML page, half a body)
├── LeaseLost                another worker owns this work now: drop what you hold
├── Held                     a fuse tripped or an approval is missing: a person decides
├── PlanDrifted              a saved plan no longer describes the world: plan again
├── NotFound                 a name or id that a person gave does not exist              exit 2
└── Broken                   an invariant failed: stop and keep the evidence

Each class carries a stable `code` (`trueup explain CODE` tells it at length) and an exit code for
the command line. Messages hold no secret and no personal value: field names, ids and reasons only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


class TrueupError(Exception):
    """Whatever trueup raises on purpose."""

    code = "TU-GEN-001"
    exit_code = 1

    def __init__(self, message: str = "", *, code: str = "") -> None:
        if code:
            self.code = code
        super().__init__(message)


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing that is wrong in the configuration, in the shape that people read.

    `file` is relative to the hub's folder; `line` and `column` start at 1 (0: the file as a whole).
    `message` says what is wrong, `hint` what was meant, `allowed` what would be right and where that
    list comes from, `remedy` what to do. `excerpt` is the line itself, `width` how much the caret marks.
    """

    file: str
    line: int
    column: int
    message: str
    code: str = "TU-CFG-001"
    hint: str = ""
    allowed: str = ""
    remedy: str = ""
    excerpt: str = ""
    width: int = 1

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> list[str]:
        where = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        lines = [f"{where}  {self.message}  [{self.code}]"]
        if self.excerpt:
            lines.append(f"{self.line:>6} | {self.excerpt}")
            caret = " " * (self.column - 1) + "^" * max(1, self.width)
            lines.append(f"       | {caret}" + (f"  {self.hint}" if self.hint else ""))
        elif self.hint:
            lines.append(f"    {self.hint}")
        if self.allowed:
            lines.append(f"    allowed: {self.allowed}")
        if self.remedy:
            lines.append(f"    do: {self.remedy}")
        return lines


class ConfigError(TrueupError):
    """The configuration is wrong. Holds every problem, sorted by file and line."""

    code = "TU-CFG-000"
    exit_code = 2

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(sorted(problems))
        count = len(self.problems)
        head = f"{count} problem{'s' if count != 1 else ''} in the configuration"
        super().__init__("\n\n".join([head, *(str(problem) for problem in self.problems)]))


class ConnectorError(TrueupError):
    """A connected system failed to do what was asked.

    `vendor_says` is the system's own sentence, verbatim (shortened, secrets masked); `remedy` is what
    a person can do about it.
    """

    code = "TU-CON-001"

    def __init__(
        self,
        message: str,
        *,
        connection: str = "",
        operation: str = "",
        vendor_says: str = "",
        remedy: str = "",
        code: str = "",
    ) -> None:
        self.message = message
        self.connection = connection
        self.operation = operation
        self.vendor_says = vendor_says
        self.remedy = remedy
        super().__init__(message, code=code)

    def __str__(self) -> str:
        where = " ".join(part for part in (self.connection, self.operation) if part)
        lines = [f"{where}: {self.message}" if where else self.message]
        if self.vendor_says:
            lines.append(f"  it says: {self.vendor_says}")
        if self.remedy:
            lines.append(f"  do: {self.remedy}")
        return "\n".join(lines) + f"  [{self.code}]"


class Transient(ConnectorError):
    """Certainly not applied. `retry_after` is in seconds, None when the system named no time."""

    code = "TU-CON-010"

    def __init__(self, message: str, *, retry_after: float | None = None, **details: str) -> None:
        super().__init__(message, **details)
        self.retry_after = retry_after


class RateLimited(Transient):
    """The system, or our own budget for it, is exhausted: the whole connection waits."""

    code = "TU-CON-011"


class OutcomeUnknown(ConnectorError):
    """The request went out and no usable answer came back: it may have been applied."""

    code = "TU-CON-020"


class Stale(ConnectorError):
    """The record is not in the version that the write was guarded with."""

    code = "TU-CON-030"


class Gone(ConnectorError):
    """The record does not exist any more; `successor` is the id it was merged or converted into."""

    code = "TU-CON-040"

    def __init__(self, message: str, *, successor: str | None = None, **details: str) -> None:
        super().__init__(message, **details)
        self.successor = successor


class Refused(ConnectorError):
    """The system will not take the request as it is. `fields` maps remote field to reason."""

    code = "TU-REF-001"

    def __init__(self, message: str, *, fields: Mapping[str, str] | None = None, **details: str) -> None:
        super().__init__(message, **details)
        self.fields: Mapping[str, str] = dict(fields or {})


class Unauthorized(ConnectorError):
    """Credentials are wrong, expired for good, or lack a permission."""

    code = "TU-AUT-001"


class Malformed(ConnectorError):
    """The answer is not what the system documents; nothing in it is used."""

    code = "TU-CON-050"


class LeaseLost(TrueupError):
    """The fence moved: another worker took over. Nothing of this worker is committed any more."""

    code = "TU-RUN-010"


class Held(TrueupError):
    """A fuse tripped, or a connection waits for its first approval."""

    code = "TU-RUN-020"


class NoDatabase(TrueupError):
    """The hub's own database cannot be opened: where it should be, what it says, and where to look."""

    code = "TU-STO-020"

    def __init__(self, message: str, remedy: str, code: str = "") -> None:
        super().__init__(message, code=code)
        self.remedy = f"{remedy}; `database:` in hub.yaml says where it is"


class PlanDrifted(TrueupError):
    """More of a saved plan is outdated than `drift_limit` allows, or the configuration changed."""

    code = "TU-RUN-030"


class NotFound(TrueupError):
    """A person named something that does not exist.

    `typed` are the person's own words, where the message holds them masked: only who typed them at a
    terminal sees them again.
    """

    code = "TU-GEN-404"
    exit_code = 2

    def __init__(self, message: str = "", *, code: str = "", typed: str = "") -> None:
        self.typed = typed
        super().__init__(message, code=code)


class Broken(TrueupError):
    """An invariant of trueup itself failed; please report it with the run's id."""

    code = "TU-GEN-500"
