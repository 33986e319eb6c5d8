"""Settings for all tests."""

from __future__ import annotations

import os

from hypothesis import settings

# In CI the same examples every time: a landing is judged by what it changed. On a laptop new ones, so that
# they go on finding what nobody thought of.
settings.register_profile("ci", derandomize=True, deadline=None)
settings.register_profile("laptop", deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "laptop")
