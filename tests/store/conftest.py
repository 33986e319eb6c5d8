"""Every test of a verb runs on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.postgres_server import fresh_database
from tests.store.hub import Hub, orphans
from trueup.ports import Store
from trueup.store.open import open_store


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.server)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty database."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'hub.db'}"
        return
    with fresh_database() as url:
        yield url


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    """Whatever a test does: at its end every row has the rows that it names."""
    store = open_store(url)
    yield store
    assert orphans(store) == {}
    store.close()


@pytest.fixture
def hub(store: Store) -> Hub:
    """A store in which the connections sales, shop and mail are configured."""
    store.register(["sales", "shop", "mail"], "v1")
    return Hub(store)
