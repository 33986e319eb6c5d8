"""What `trueup-world` says, and how it ends."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.simulation.defects import DEFECTS
from trueup.testing import command


def test_one_that_breaks_nothing_is_told_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--seed", "2"]) == 0
    said = capsys.readouterr()
    assert (said.out, said.err.startswith("seed 2: every check holds; journal ")) == ("", True)


def test_what_is_wrong_is_told_and_ends_with_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    defect = DEFECTS["what our write took the place of is forgotten"]
    (tmp_path / "plan.json").write_text(json.dumps(defect.plan.document()), encoding="utf-8")
    with defect.made():
        assert command.main(["--plan", str(tmp_path / "plan.json")]) == 1
    said = capsys.readouterr()
    assert "1 thing is wrong" in said.err
    assert said.out.startswith("no lost update: ")


def test_few_histories_are_not_asked_whether_enough_happened(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--seeds", "1-3", "--jobs", "1"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "what happened:"
    assert lines[-2] == "Whether enough happened is asked from 200 histories on."
    assert lines[-1].startswith("2 seeds in ") and lines[-1].endswith("; 0 failed")
    assert max(map(len, lines)) <= 110


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (["--seeds", "20-1"], "holds no seed"),
        (["--seeds=-5"], "is not a whole number"),
        (["--seed", "x"], "is not a whole number"),
    ],
)
def test_what_is_no_seed_is_refused(said: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        command.main(said)
    assert ended.value.code == 2
    assert told in capsys.readouterr().err


def test_without_its_extra_it_says_what_it_needs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "find_spec", lambda name: None)
    assert command.main(["--seed", "1"]) == 2
    assert "pip install 'trueup[testing]'" in capsys.readouterr().err
