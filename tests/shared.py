"""Where the tests find reference material that is not part of the project.

Vendors' API descriptions and gold data may not be shipped, so a clone of the project has none: a test
that needs them skips with that reason, and fails in CI, where they lie beside the clone.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(os.environ.get("TRUEUP_SHARED", str(Path(__file__).resolve().parents[2] / "shared")))


def shared(*parts: str) -> Path:
    """The path of a reference file; skips (in CI: fails) the calling test where it is absent."""
    path = ROOT.joinpath(*parts)
    if path.exists():
        return path
    reason = f"needs reference material that is not part of the project: {'/'.join(parts)}"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)
