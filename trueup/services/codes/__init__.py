"""What every stable code means, at length: what happened, what the hub did about it, what a person does.

A code never changes its meaning.
"""

from __future__ import annotations

from collections.abc import Mapping

from trueup.services.codes.commands import COMMANDS
from trueup.services.codes.configuration import CONFIGURATION
from trueup.services.codes.explanation import Explanation
from trueup.services.codes.hub import HUB
from trueup.services.codes.systems import SYSTEMS

CODES: Mapping[str, Explanation] = {**SYSTEMS, **HUB, **COMMANDS, **CONFIGURATION}
"""Every code that a message can carry."""
