"""The acceptance suite for connectors: what every connector promises the hub, asked one by one.

For the author of a connector: describe how to play the system (`Harness`, `System`, `Way`), then

    test_acceptance = accepted(harness)
"""

from trueup.testing.acceptance.clock import HandClock
from trueup.testing.acceptance.harness import WAIT, CannotPlay, Harness, System, Trouble, Way
from trueup.testing.acceptance.suite import accepted
from trueup.testing.acceptance.way import HttpWay

__all__ = ["WAIT", "CannotPlay", "HandClock", "Harness", "HttpWay", "System", "Trouble", "Way", "accepted"]
