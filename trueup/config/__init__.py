"""config/ into typed settings; all problems at once, with file, line and column."""

from trueup.config.env import SandboxEnvironment, Secret
from trueup.config.lifecycle_settings import Lifecycle
from trueup.config.load import examine, load
from trueup.config.settings import Connection, Example, FieldPolicy, HubConfig, HubSettings

__all__ = [
    "Connection",
    "Example",
    "FieldPolicy",
    "HubConfig",
    "HubSettings",
    "Lifecycle",
    "SandboxEnvironment",
    "Secret",
    "examine",
    "load",
]
