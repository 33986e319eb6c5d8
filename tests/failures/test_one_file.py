"""F124: several processes that share one SQLite file."""

from __future__ import annotations

import multiprocessing
from datetime import timedelta
from multiprocessing.synchronize import Barrier
from pathlib import Path

from tests.store.hub import at, page, record
from trueup.model.fields import Kind
from trueup.store.open import open_store

ROUNDS, PROCESSES = 150, 3


def work(url: str, name: str, ready: Barrier) -> None:
    """Reads before it writes, as every verb does, on rows of its own and on a lease that all want."""
    store = open_store(url)
    ready.wait(60)
    for turn in range(ROUNDS):
        fence = store.lease("run", name, at(turn), at(turn) + timedelta(seconds=1))
        store.land(page("sales", record(f"{name}-{turn}", 1, a=turn)), None)
        store.strangers([Kind.CONTACT], 0, 10)
        if fence is not None:
            store.let_go(fence)
    store.close()


def test_f124_three_processes_on_one_file_never_find_it_locked_and_lose_nothing(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'hub.db'}"
    store = open_store(url)
    store.register(["sales"], "v1")
    started = multiprocessing.get_context("spawn")
    ready = started.Barrier(PROCESSES)
    workers = [started.Process(target=work, args=(url, f"w{number}", ready)) for number in range(PROCESSES)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(120)
    assert [worker.exitcode for worker in workers] == [0] * PROCESSES
    assert sum(store.count_links().values()) == PROCESSES * ROUNDS
    store.close()
