"""Secrets come from the environment, a file or .env, and are shown nowhere."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.config.hubs import ENVIRONMENT, change, example_hub, loaded, problems
from tests.config.known_systems import SYSTEMS
from tests.config.mistakes import MISTAKES
from trueup.config import SandboxEnvironment, Secret, load
from trueup.config.load import examine
from trueup.model.covering import masked

_CANARY = "canary-4f9a81c2-secret"


def _env_file(hub: Path, text: str, mode: int = 0o600) -> None:
    path = hub / ".env"
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)


@pytest.mark.parametrize("shown", [repr, str, "{}".format, lambda secret: f"{secret!r:>20}"])
def test_a_secret_is_printed_nowhere(shown: object) -> None:
    assert "hush" not in shown(Secret("hush"))  # type: ignore[operator]


def test_a_variable_from_dot_env_is_used_and_one_that_is_set_wins(tmp_path: Path) -> None:
    hub = example_hub(tmp_path)
    _env_file(hub, '# comment\nexport ZENDESK_TOKEN="from file" \nHUBSPOT_TOKEN=from-file # why\n')
    environment = {name: value for name, value in ENVIRONMENT.items() if name != "ZENDESK_TOKEN"}
    config = loaded(hub, environment)
    assert config.connections["support"].auth.settings["token"] == Secret("from file")
    assert config.connections["marketing"].auth.settings["token"] == Secret(ENVIRONMENT["HUBSPOT_TOKEN"])


def test_a_dot_env_that_everybody_can_read_is_refused_and_not_used(tmp_path: Path) -> None:
    hub = example_hub(tmp_path)
    _env_file(hub, f"ZENDESK_TOKEN={_CANARY}\n", mode=0o644)
    environment = {name: value for name, value in ENVIRONMENT.items() if name != "ZENDESK_TOKEN"}
    config, found = examine(hub, environment, SYSTEMS)
    assert {problem.code for problem in found} == {"TU-CFG-072"}
    assert config is not None
    assert _CANARY not in [
        value.reveal()
        for one in config.connections.values()
        for value in one.auth.settings.values()
        if isinstance(value, Secret)
    ]
    assert _CANARY not in "".join(map(str, found))


def test_a_dot_env_that_git_tracks_is_refused(tmp_path: Path) -> None:
    hub = example_hub(tmp_path)
    _env_file(hub, "A=b\n")
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    assert problems(hub) == ()
    subprocess.run(["git", "-C", str(hub), "add", "-f", ".env"], check=True)
    assert [problem.message for problem in problems(hub)] == [
        "git tracks this file: its secrets are in the history of the project"
    ]


def test_a_line_of_dot_env_that_is_no_assignment_is_told_without_its_text(tmp_path: Path) -> None:
    hub = example_hub(tmp_path)
    _env_file(hub, f"A=b\n{_CANARY}\n")
    (found,) = problems(hub)
    assert (found.file, found.line) == ("config/.env", 2)
    assert _CANARY not in str(found)


def test_a_secret_file_is_read_beside_the_hub(tmp_path: Path) -> None:
    hub = example_hub(tmp_path)
    change(hub, "connections/marketing.yaml", "${env:HUBSPOT_TOKEN}", "${file:token}")
    (hub / "token").write_text("from-a-file\n")
    assert loaded(hub).connections["marketing"].auth.settings["token"] == Secret("from-a-file")


def test_a_variable_works_in_the_middle_of_any_value(tmp_path: Path) -> None:
    hub = example_hub(tmp_path)
    change(hub, "connections/sales.yaml", "domain: acme.my", "domain: ${env:ORG}.my")
    config = loaded(hub, {**ENVIRONMENT, "ORG": "beta"})
    assert config.connections["sales"].settings().auth["domain"] == "beta.my.salesforce.com"


def test_the_sandbox_needs_no_variable() -> None:
    environment = SandboxEnvironment({"SET": "mine"})
    assert (environment["SET"], environment["SHOP_TOKEN"]) == ("mine", "sandbox-shop-token")


@pytest.mark.parametrize(
    "line",
    [
        f"token: {_CANARY}",
        f"  client_secret: '{_CANARY}'",
        f"auth: {{kind: basic, password: {_CANARY}",
        f"url: postgresql://ann:{_CANARY}@db/x",
        f"api_key = {_CANARY}",
        f"note: xoxb-{_CANARY}",
    ],
)
def test_a_line_is_shown_with_its_secret_covered_at_its_length(line: str) -> None:
    assert _CANARY not in masked(line)
    assert len(masked(line)) == len(line)


@pytest.mark.parametrize("line", ["token: ${env:X}", "      sal: Working - Contacted", "key: customer_id"])
def test_a_line_without_a_secret_is_shown_as_it_is(line: str) -> None:
    assert masked(line) == line


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.name)
def test_no_mistake_shows_the_value_of_a_variable(mistake: object, tmp_path: Path) -> None:
    hub = example_hub(tmp_path)
    for file, old, new in mistake.changes:  # type: ignore[attr-defined]
        change(hub, file, old, new)
    told = "".join(map(str, problems(hub)))
    assert not any(
        value in told for name, value in ENVIRONMENT.items() if "TOKEN" in name or "SECRET" in name
    )


def test_no_secret_is_in_the_version(tmp_path: Path) -> None:
    hub = example_hub(tmp_path)
    other = load(hub, {**ENVIRONMENT, "HUBSPOT_TOKEN": "another"}, SYSTEMS)
    assert other.version == loaded(hub).version
