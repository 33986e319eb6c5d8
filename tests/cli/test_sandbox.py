"""`sandbox`: stand-ins in a process of their own, and the same configuration over them."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from tests.cli.kit import say
from tests.config.hubs import example_hub


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, subprocess.Popen[str]]]:
    """A sandbox of 40 people over the example hub, in a real process."""
    folder = tmp_path_factory.mktemp("sandbox")
    example_hub(folder)
    words = [sys.executable, "-m", "trueup.cli", "sandbox", "--people", "40", "--seed", "7"]
    with (folder / "printed.txt").open("w") as printed:
        process = subprocess.Popen(words, cwd=folder, stdout=printed, stderr=subprocess.PIPE, text=True)
    state = folder / "config/.sandbox/state.json"
    until = time.monotonic() + 60
    while not state.exists() and process.poll() is None and time.monotonic() < until:
        time.sleep(0.1)
    assert state.exists(), process.communicate()[1]
    yield folder, process
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)


def test_the_example_hub_agrees_with_its_sandbox(
    sandbox: tuple[Path, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(sandbox[0])
    said = say("check", "--live", "--sandbox")
    assert said.code == 0, said.out


def test_a_sync_over_the_sandbox_comes_to_rest_and_leaves_the_real_hub_alone(
    sandbox: tuple[Path, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(sandbox[0])
    first = say("sync", "--sandbox", "--approve-first", "--json").json
    assert sum(one["done"] for one in first["writes"]) > 0
    for _ in range(3):
        last = say("sync", "--sandbox", "--json").json
    assert sum(one["decided"] for one in last["writes"]) == 0
    assert not (sandbox[0] / "config/trueup.sqlite").exists()


@pytest.mark.skipif(shutil.which("curl") is None, reason="the lines are for curl")
def test_the_printed_lines_sign_in_at_each_system(sandbox: tuple[Path, object]) -> None:
    printed = sandbox[0] / "printed.txt"
    until = time.monotonic() + 20
    while "Ctrl-C" not in printed.read_text("utf-8") and time.monotonic() < until:
        time.sleep(0.1)
    lines = [one.strip() for one in printed.read_text("utf-8").splitlines() if one.startswith("  curl ")]
    answers = [orjson.loads(_run(line)) for line in lines]
    assert [sorted({"results", "access_token", "user"} & one.keys()) for one in answers] == [
        ["results"],
        ["access_token"],
        ["user"],
    ]
    (sales,) = [one for one in answers if "access_token" in one]
    url = (
        next(line for line in lines if "oauth2" in line)
        .split()[-1]
        .replace("oauth2/token", "data/v62.0/limits")
    )
    assert "DailyApiRequests" in _run(f"curl -H 'Authorization: Bearer {sales['access_token']}' {url}")


def _run(line: str) -> str:
    words = ["curl", "-s", "--noproxy", "*", *shlex.split(line)[1:]]
    return subprocess.run(words, capture_output=True, text=True, check=True, timeout=20).stdout


def test_a_second_sandbox_for_the_same_hub_does_not_start(
    sandbox: tuple[Path, subprocess.Popen[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, process = sandbox
    monkeypatch.chdir(folder)
    before = (folder / "config/.sandbox/state.json").read_bytes()
    said = say("sandbox", "--people", "1")
    assert said.code == 2 and f"is open for this hub already (process {process.pid})" in said.err
    assert (folder / "config/.sandbox/state.json").read_bytes() == before


def test_it_ends_with_the_signal_and_takes_everything_along(
    sandbox: tuple[Path, subprocess.Popen[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, process = sandbox
    monkeypatch.chdir(folder)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    out = (folder / "printed.txt").read_text("utf-8")
    assert (process.returncode, err) == (0, "")
    assert "TRUEUP_SANDBOX_SALES=http://127.0.0.1:" in out
    assert not (folder / "config/.sandbox").exists()
    said = say("plan", "--sandbox")
    assert (said.code, "TU-CLI-030" in said.err) == (2, True)


@pytest.mark.parametrize("place", ["options", "object"])
def test_tables_of_one_s_own_are_copied_not_written_to(hub: Path, place: str) -> None:
    if place == "object":
        crm = hub / "connections/crm.yaml"
        said = crm.read_text("utf-8").replace("options:", "#")
        whole = f'  contacts:\n    path: "{Path("crm.csv").resolve()}"'
        crm.write_text(said.replace("  contacts:", whole), "utf-8")
    words = [sys.executable, "-m", "trueup.cli", "sandbox", "--people", "0", "--json"]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=os.environ)
    try:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("{")
        before = (Path("crm.csv").read_bytes(), Path("news.csv").read_bytes())
        assert say("sync", "--sandbox", "--approve-first").code == 0
        assert (Path("crm.csv").read_bytes(), Path("news.csv").read_bytes()) == before
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)
