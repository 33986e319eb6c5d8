"""This process among the others of this machine: its name, and whether another one is still there.

A name is `host:pid@machine.start`. The number of a process is used again, so the moment of its start
belongs to it; it means something on one running machine only, and inside of one container (a namespace
of numbers), so both belong to it too. The name of the host is for people to read, and one reason more
to know nothing: it may be shared or change.
"""

from __future__ import annotations

import os
import socket
import sys
import uuid
from functools import cache
from hashlib import blake2b
from pathlib import Path

_PROC = Path("/proc")
_DEAD = ("Z", "X", "x")
"""States of a process that ended and was not buried by its parent yet (man 5 proc, `stat`)."""


def process_name() -> str:
    """The name of this process: no other one, here or elsewhere, before or after, has it."""
    state = _state(os.getpid())
    start = state[1] if state else uuid.uuid4().hex[:12]
    return f"{socket.gethostname()}:{os.getpid()}@{_machine()}.{start}"


def has_ended(name: str) -> bool:
    """Whether the process of this name has certainly ended.

    False where that cannot be known: it ran on another machine, in another container or before this
    machine was started, or the name is none of `process_name`.
    """
    where, _, token = name.partition("@")
    host, _, pid = where.rpartition(":")
    machine, _, start = token.partition(".")
    if not pid.isdecimal() or (host, machine) != (socket.gethostname(), _machine()):
        return False
    return not _exists(int(pid)) or _is_another(int(pid), start)


def _exists(pid: int) -> bool:
    if sys.platform == "win32":
        return True  # asking would be a signal there
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True


def _is_another(pid: int, start: str) -> bool:
    """Whether what has this number now is a dead process, or one that began at another time."""
    state = _state(pid)
    return state is not None and (state[0] in _DEAD or state[1] != start)


def _state(pid: int) -> tuple[str, str] | None:
    """The state of a process and its start in clock ticks since boot; None where that is not told.

    Linux, man 5 proc: fields 3 and 22 of `stat`; the second one, the command, may hold blanks and ')'.
    """
    if not _numbers_are_ours():
        return None
    try:
        text = (_PROC / str(pid) / "stat").read_text("utf-8", "replace")
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()
    return fields[0], fields[19]


@cache
def _machine() -> str:
    """This machine since it was started, and the container in it: 16 hex digits."""
    return blake2b(_said_of_machine().encode(), digest_size=8).hexdigest()


def _said_of_machine() -> str:
    if not _numbers_are_ours():
        return f"{uuid.getnode():x}"
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text("ascii").strip()
        return f"{boot} {(_PROC / 'self/ns/pid').readlink()}"
    except OSError:
        return f"{uuid.getnode():x}"


def _numbers_are_ours() -> bool:
    """Whether /proc speaks of processes by the numbers that this one uses too."""
    try:
        return str((_PROC / "self").readlink()) == str(os.getpid())
    except OSError:
        return False
