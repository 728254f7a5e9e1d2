"""Real queue clusters refresh the views of loads: few times in a burst, and after a killed loader."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from time import monotonic

import pytest
from django.db import connection

from data_pipeline import compute_idempotency_key, process_once
from data_pipeline.models import LoadRefresh
from seeder.domain.refresh_requests import AllReports
from seeder.models import QueuedRefresh
from seeder.services.run.orchestrator import execute_run
from tests.acceptance import queue_clusters
from tests.acceptance.queue_clusters import counted_query, is_drained, refresh_counts, start, wait_until
from tests.conftest import CHECKOUT, create_custom_manifest, process_environment, sql

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("load_tables")]
LOADS = 50


@pytest.fixture(autouse=True)
def _view(load_tables: None, empty_queue: None) -> Iterator[None]:
    """A table, and a view of it that counts its refreshes."""
    sql("CREATE TABLE landing.numbers (n integer)")
    query = counted_query("v")
    create_custom_manifest(
        "reporting.v", f"SELECT q.name, (SELECT count(*) FROM landing.numbers) AS n FROM ({query}) AS q"
    )
    execute_run(AllReports())
    sql("TRUNCATE reporting.refreshed")
    yield
    queue_clusters.kill_all()


def load(number: int) -> None:
    key = compute_idempotency_key(payload=str(number).encode())
    with closing(connection), process_once(source="burst", payload_meta={}, idempotency_key=key) as handle:
        assert handle is not None
        handle.changed_relations = [("landing", "numbers")]
        sql("INSERT INTO landing.numbers VALUES (%s)", number)


def test_burst_of_50_loads_refreshes_a_view_3_times_at_most() -> None:
    start()
    load(LOADS)  # the cluster has started when its refresh has ended
    wait_until(is_drained)
    sql("TRUNCATE reporting.refreshed")
    started = monotonic()
    with ThreadPoolExecutor(4) as loaders:
        list(loaders.map(load, range(LOADS)))
    burst = monotonic() - started
    wait_until(is_drained)
    assert not LoadRefresh.objects.filter(dispatched_at=None).exists()
    assert sql("SELECT n FROM reporting.v") == [(LOADS + 1,)]
    assert 1 <= refresh_counts()["v"] <= 2 + burst // 5  # 3 if the burst takes less than 10 seconds


_KILLED_AFTER_COMMIT = """
import os, signal, sys
import django
django.setup()
from data_pipeline.services import process_once
process_once.refresh_after = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)
from data_pipeline import load_file
load_file(sys.argv[1], table="landing.numbers")
"""


def test_view_of_a_loader_killed_after_its_commit_is_refreshed(tmp_path: Path) -> None:
    path = tmp_path / "numbers.csv"
    path.write_text("n\n1\n2\n")
    killed = subprocess.run(
        [sys.executable, "-c", _KILLED_AFTER_COMMIT, str(path)], cwd=CHECKOUT, env=process_environment(), check=False
    )
    assert killed.returncode == -signal.SIGKILL
    assert LoadRefresh.objects.get().dispatched_at is None
    start("watch_queue")
    wait_until(lambda: refresh_counts() and QueuedRefresh.objects.filter(state="ended").exists())
    assert sql("SELECT n FROM reporting.v") == [(2,)]
    assert refresh_counts() == {"v": 1}


_FIRST_LOAD = """
import sys
import django
django.setup()
from data_pipeline import process_once
with process_once(source="test", payload_meta={}, idempotency_key="a" * 64):
    print(*("seeder.services." + name in sys.modules for name in ("queue.enqueue", "run.orchestrator")))
"""


def test_first_load_of_a_process_imports_the_queue_before_its_commit() -> None:
    command = [sys.executable, "-c", _FIRST_LOAD]
    printed = subprocess.check_output(command, cwd=CHECKOUT, env=process_environment(), text=True)
    assert printed == "True False\n"  # the code that refreshes is not needed
