"""Files for their owner only, written whole or not at all, and never over a file of somebody else's."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from trueup.errors import TrueupError


class NotOurs(TrueupError):
    """The place for a file holds something that trueup did not write."""

    code = "TU-CLI-021"
    exit_code = 2


def check_free(path: Path, ours: Callable[[bytes], bool], what: str) -> None:
    """Raises NotOurs where something stands whose first line is not `ours`, that of `what`."""
    if path.is_dir() or (path.exists() and not path.is_file()):
        raise NotOurs(f"{path} is no file; {what} can be written to a file only")
    if path.is_file():
        with path.open("rb") as file:
            line = file.readline(1 << 16)
        if line and not ours(line):
            raise NotOurs(f"{path} holds something else than {what}; nothing was written. Name another file")


@contextmanager
def own_file(path: Path) -> Iterator[BinaryIO]:
    """A new file (mode 0600) that takes the place of `path` when the block ends well."""
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    except OSError as error:
        error.filename = str(path)
        raise
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink()
        raise
