"""A hub's folder to make mistakes in: the example configuration, copied where a test may change it."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from tests.config.known_systems import SYSTEMS
from trueup.config import HubConfig, examine, load
from trueup.errors import Problem

EXAMPLE = Path(__file__).parent / "hub"
ENVIRONMENT: Mapping[str, str] = {
    "HUBSPOT_TOKEN": "hubspot-token-value",
    "SALESFORCE_CLIENT_ID": "salesforce-id-value",
    "SALESFORCE_CLIENT_SECRET": "salesforce-secret-value",
    "SHOP_DATABASE": "sqlite:///shop.db",
    "ZENDESK_USER": "ann@example.com/token",
    "ZENDESK_TOKEN": "zendesk-token-value",
    "TRUEUP_ALERTS": "ops@example.com",
}


def example_hub(folder: Path) -> Path:
    """A fresh copy of the example configuration in `folder`/config."""
    target = folder / "config"
    shutil.copytree(EXAMPLE, target)
    return target


def change(hub: Path, file: str, old: str, new: str) -> None:
    """Replace one text in one file; the text must be there exactly once."""
    path = hub / file
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    assert text.count(old) == 1 or (not text and not old), f"{file} holds {text.count(old)} times: {old}"
    path.write_bytes((text.replace(old, new) if old else new).encode())


def problems(hub: Path, environment: Mapping[str, str] = ENVIRONMENT) -> tuple[Problem, ...]:
    return examine(hub, environment, SYSTEMS)[1]


def loaded(hub: Path, environment: Mapping[str, str] = ENVIRONMENT) -> HubConfig:
    return load(hub, environment, SYSTEMS)
