"""The suite as pytest sees it: one line for a connector."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from trueup.testing.acceptance.checks import checks
from trueup.testing.acceptance.harness import Harness
from trueup.testing.acceptance.verdict import Verdict, ask, exemptions


def accepted(harness: Harness) -> Callable[[str], None]:
    """A test for every check, named after it: `test_acceptance = accepted(harness)`.

    What `quality.yaml` exempts is expected to fail; where it passes, the exemption has to go.
    """
    excused = exemptions(harness.quality)

    @pytest.mark.parametrize("check", sorted(checks()))
    def test_acceptance(check: str) -> None:
        verdict = ask(harness, check)
        judge(harness.name, verdict, excused)

    return test_acceptance


def judge(connector: str, verdict: Verdict, excused: Mapping[str, str]) -> None:
    """Fail where a promise is not kept, or an exemption is not true any more."""
    reason = excused.get(verdict.name)
    if reason is None and not verdict.passed:
        pytest.fail(f"{connector}: {verdict}", pytrace=False)
    if reason is not None and verdict.passed:
        said = f"{connector}: {verdict.name} passes, but is exempt ({reason})"
        pytest.fail(f"{said}\n  do: take it out of quality.yaml", pytrace=False)
    if reason is not None:
        pytest.xfail(reason)
