"""Whether the process that owns a piece of work is still there, asked of real processes."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from trueup.services.process import has_ended, process_name

NAME = "from trueup.services.process import process_name; print(process_name(), flush=True); input()"


@contextmanager
def another() -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A process that has told its name and lives on, and that name."""
    process = subprocess.Popen(
        [sys.executable, "-c", NAME], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        yield process, process.stdout.readline().strip()
    finally:
        process.kill()
        process.communicate()


def renamed(name: str, **parts: str) -> str:
    """The name of a process with its host, pid, machine or start replaced."""
    where, _, token = name.partition("@")
    host, pid = where.rsplit(":", 1)
    machine, start = token.split(".")
    given = {"host": host, "pid": pid, "machine": machine, "start": start, **parts}
    return "{host}:{pid}@{machine}.{start}".format(**given)


def test_a_process_at_work_has_not_ended() -> None:
    with another() as (_, name):
        assert not has_ended(name)
    assert not has_ended(process_name())


def test_a_killed_process_has_ended() -> None:
    with another() as (process, name):
        process.kill()
        process.wait()
        assert has_ended(name)


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="no /proc: no such state is seen")
def test_a_killed_process_that_nobody_has_buried_has_ended() -> None:
    with another() as (process, name):
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert has_ended(name)


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="no /proc: starts are not known")
def test_another_process_under_the_same_number_is_another() -> None:
    assert has_ended(renamed(process_name(), start="1"))


def test_nothing_is_known_of_processes_elsewhere() -> None:
    with another() as (process, name):
        process.kill()
        process.wait()
        assert not has_ended(renamed(name, machine="0123456789abcdef"))
        assert not has_ended(renamed(name, host="another-host"))
    for strange in ("worker", "", "web-1:17", "web-1:x@y.z", "a:b:c@d"):
        assert not has_ended(strange)


def test_no_two_processes_have_one_name() -> None:
    with another() as (_, one), another() as (_, two):
        assert len({one, two, process_name()}) == 3
