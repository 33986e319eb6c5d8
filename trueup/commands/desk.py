"""What every command shares: where the hub lies, how answers and errors are shown, how it ends."""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer

from trueup.commands.answer import FAILED, Answer, console_on, print_json, print_shown
from trueup.commands.complaints import complaint, unexpected_lines
from trueup.commands.hints import Called, known
from trueup.errors import TrueupError

if TYPE_CHECKING:
    from trueup.config.settings import HubConfig
    from trueup.services.hub import Hub, Progress

_Config = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="DIR",
        help="The folder with hub.yaml. Left out: ./config if it holds one, else here.",
    ),
]
_Sandbox = Annotated[
    bool,
    typer.Option("--sandbox", help="Work with the stand-ins of `trueup sandbox`, not with the real systems."),
]
_Json = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]
_Debug = Annotated[
    bool, typer.Option("--debug", help="On an unforeseen error, show where in the code it was.")
]

_COMMON: tuple[tuple[str, Any, Any], ...] = (
    ("config", _Config, None),
    ("sandbox", _Sandbox, False),
    ("json", _Json, False),
    ("debug", _Debug, False),
)


class Form(Enum):
    """How an answer is given."""

    TEXT = "text"
    JSON = "json"


class Reality(Enum):
    """Which systems are behind the connections."""

    REAL = "real"
    SANDBOX = "sandbox"


@dataclass(frozen=True, slots=True)
class Desk:
    """One command at work."""

    command: str
    folder: Path
    form: Form = Form.TEXT
    reality: Reality = Reality.REAL
    debug: bool = False

    @contextmanager
    def hub(self) -> Iterator[Hub]:
        """The hub of this folder, open, with progress on stderr where somebody looks.

        Raises ConfigError, NotFound (no sandbox is running), ConnectorError.
        """
        from trueup.commands.opening import open_for

        with self._progress() as progress:
            hub = open_for(self.folder, self.reality, progress)
            try:
                yield hub
            finally:
                hub.close()

    def config(self) -> HubConfig:
        """The configuration of this folder alone. Raises ConfigError."""
        from trueup.commands.opening import environment_for
        from trueup.config.load import load

        return load(self.folder, environment_for(self.folder, self.reality))

    @property
    def called(self) -> Called:
        """What was said of folder and systems, as a next command has to say it again."""
        return Called(self.folder, self.reality is Reality.SANDBOX)

    @property
    def asks(self) -> bool:
        """Whether somebody sits there who can be asked."""
        return self.form is Form.TEXT and sys.stdin.isatty() and sys.stdout.isatty()

    def confirm(self, question: str, said: bool) -> None:
        """Go on if `said` already or answered with yes. Raises Exit 1 where nothing may happen."""
        if said:
            return
        if not self.asks:
            raise Unconfirmed(f"{question} Nothing was done: say `--yes` to go on without being asked")
        if not self.ask(question):
            raise typer.Exit(FAILED)

    def ask(self, question: str) -> bool:
        """What the person at the terminal answers."""
        return typer.confirm(self.called.complete(question))

    @contextmanager
    def _progress(self) -> Iterator[Progress]:
        from trueup.commands.progress import shown_progress
        from trueup.services.hub import silent

        if self.form is Form.JSON or not sys.stderr.isatty():
            yield silent
            return
        with shown_progress() as progress:
            yield progress


class Unconfirmed(TrueupError):
    """Something that wants a yes was asked of nobody."""

    code = "TU-CLI-001"


class Unusable(TrueupError):
    """An argument makes no sense here."""

    code = "TU-CLI-002"
    exit_code = 2


ANY = ("config", "sandbox", "json", "debug")
"""The common options of a command that is about a hub."""
FILES = ("config", "json", "debug")
"""Those of a command that is about the files only, or that makes the systems itself."""
ALONE = ("json", "debug")
"""Those of a command that is about no hub."""


def command(
    app: typer.Typer,
    name: str = "",
    examples: Sequence[str] = (),
    common: Sequence[str] = ANY,
    default: bool = False,
) -> Callable[[Callable[..., Answer]], Any]:
    """Register a function `(desk, …) -> Answer` as a command with the common options that mean something for
    it.

    `examples`: what can be typed after the command's own words, for its help. `default`: what a group does
    when no command of it is named.
    """

    def register(function: Callable[..., Answer]) -> Any:
        path = f"{app.info.name or ''} {name}".strip()
        known(path)
        shared = _with_common(function, path, common)
        text, shown = inspect.getdoc(function) or "", _epilog(path, examples)
        if default:
            group = app.callback(invoke_without_command=True, help=text, epilog=shown)
            group(_unless_named(shared))
        else:
            brief = text.partition("\n\n")[0]
            app.command(name or None, help=text, short_help=brief, epilog=shown)(shared)
        return function

    return register


def _epilog(path: str, examples: Sequence[str]) -> str:
    """Examples as the end of a help text; the sign before them keeps their lines as they are."""
    words = path.removeprefix("trueup").strip()
    lines = [" ".join(filter(None, ("  trueup", words, one))) for one in examples]
    return "\n".join(["\b", "Examples:", *lines])


def _with_common(function: Callable[..., Answer], name: str, offered: Sequence[str]) -> Callable[..., None]:
    """The function with the common options that are `offered` in place of its desk."""
    hints = get_type_hints(function, include_extras=True)
    own = list(inspect.signature(function).parameters.values())[1:]
    parameters = [one.replace(annotation=hints[one.name]) for one in own]
    common = [
        inspect.Parameter(key, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=kind)
        for key, kind, default in _COMMON
        if key in offered
    ]

    @wraps(function)
    def run(**given: Any) -> None:
        said = {key: given.pop(key) for key in offered}
        desk = Desk(
            name or function.__name__,
            hub_folder(said.get("config")),
            Form.JSON if said.get("json") else Form.TEXT,
            Reality.SANDBOX if said.get("sandbox") else Reality.REAL,
            bool(said.get("debug")),
        )
        answer = _answered(desk, lambda: function(desk, **given))
        raise typer.Exit(answer)

    run.__signature__ = inspect.Signature([*parameters, *common])  # type: ignore[attr-defined]
    run.__annotations__ = {one.name: one.annotation for one in (*parameters, *common)}
    return run


def _unless_named(run: Callable[..., None]) -> Callable[..., None]:
    """The callback of a group: acts only when none of its commands was named."""
    signature: inspect.Signature = run.__signature__  # type: ignore[attr-defined]
    context = inspect.Parameter("ctx", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context)

    def callback(ctx: typer.Context, **given: Any) -> None:
        if ctx.invoked_subcommand is None:
            run(**given)
            return
        for one in ctx.command.params:
            source = ctx.get_parameter_source(one.name or "")
            if source is not None and source.name == "COMMANDLINE":  # typer has no public name for it
                hint = f"'{one.opts[0]}'"
                raise typer.BadParameter(f"it belongs after `{ctx.invoked_subcommand}`", ctx, param_hint=hint)

    callback.__signature__ = signature.replace(  # type: ignore[attr-defined]
        parameters=[context, *signature.parameters.values()]
    )
    callback.__annotations__ = {"ctx": typer.Context, **run.__annotations__}
    return callback


def hub_folder(said: Path | None) -> Path:
    """The folder of the hub: as said, else ./config if it holds hub.yaml, else here."""
    if said is not None:
        return said
    config = Path("config")
    return config if (config / "hub.yaml").is_file() else Path()


# -- how it ends --------------------------------------------------------------------------------------


def _answered(desk: Desk, work: Callable[[], Answer]) -> int:
    """Do the work, show the answer or the error; the exit code."""
    try:
        answer = desk.called.answer(work())
    except TrueupError as error:
        return _complained(desk, error)
    except (typer.Exit, typer.Abort, typer.BadParameter):
        raise
    except BrokenPipeError:
        raise
    except OSError as error:
        return _file_trouble(desk, error)
    except Exception as error:
        return _unforeseen(desk, error)
    if desk.form is Form.JSON:
        print_json(answer.document)
    else:
        print_shown(answer.shown)
    return answer.exit_code


def _complained(desk: Desk, error: TrueupError) -> int:
    told = complaint(error)
    _say(desk, told.lines, told.document)
    return told.exit_code


def _file_trouble(desk: Desk, error: OSError) -> int:
    where = f"{error.filename}: " if error.filename else ""
    line = f"{where}{error.strerror or type(error).__name__}  [TU-CLI-020]"
    document = {"error": {"code": "TU-CLI-020", "message": f"{where}{error.strerror}"}}
    _say(desk, (line, "    `trueup explain TU-CLI-020` tells more"), document)
    return FAILED


def _unforeseen(desk: Desk, error: Exception) -> int:
    """One sentence and where the rest is; the rest holds places and types, no values."""
    code = "TU-STO-020" if _from_database(error) else "TU-GEN-500"
    trace = unexpected_lines(error)
    log = _logged(desk, trace)
    what = (
        "The hub's database cannot be used" if code == "TU-STO-020" else "trueup met what it did not foresee"
    )
    kind = type(error).__name__
    lines = [
        f"{what} ({kind} during `{desk.command}`).  [{code}]",
        f"    the log, without personal values: {log}",
        f"    `trueup explain {code}` tells more" + ("" if desk.debug else "; `--debug` shows the log here"),
    ]
    _say(
        desk,
        [*lines, *(trace if desk.debug else ())],
        {"error": {"code": code, "message": lines[0], "log": str(log)}},
    )
    return FAILED


def _from_database(error: BaseException) -> bool:
    return type(error).__module__.partition(".")[0] in ("sqlalchemy", "psycopg", "sqlite3")


def _logged(desk: Desk, trace: list[str]) -> Path:
    """Append to `trueup-errors.log` beside hub.yaml, or in the folder for temporary files."""
    import tempfile
    from datetime import UTC, datetime

    head = f"{datetime.now(UTC).isoformat(timespec='seconds')} {desk.command}"
    text = "\n".join([head, *trace, "", ""])
    last = Path(tempfile.gettempdir()) / "trueup-errors.log"
    for path in (desk.folder / "trueup-errors.log", last):
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            with os.fdopen(descriptor, "a", encoding="utf-8") as file:
                file.write(text)
            return path
        except OSError:
            continue
    return last


def _say(desk: Desk, lines: Any, document: Any) -> None:
    if desk.form is Form.JSON:
        print_json(desk.called.document(document))
        return
    console = console_on("stderr")
    for line in lines:
        console.print(desk.called.complete(line), markup=False, highlight=False, soft_wrap=True)


def user_name() -> str:
    """Who is at work, for the record: the login name."""
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return "unknown"
