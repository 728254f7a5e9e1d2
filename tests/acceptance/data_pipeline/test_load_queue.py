"""Real clusters of the queue load files that were queued, also after a worker was killed."""

import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django_q.models import OrmQ, Task

from data_pipeline.models import LoadLog, LoadRequest
from tests.acceptance import queue_clusters
from tests.acceptance.queue_clusters import kill, start, wait_until
from tests.conftest import CompletedCommand, another_session, sql

pytestmark = [pytest.mark.usefixtures("load_tables"), pytest.mark.slow]
Manage = Callable[..., CompletedCommand]


@pytest.fixture(autouse=True)
def numbers(load_tables: None, empty_queue: None) -> Iterator[None]:
    """A table for the files, and no cluster after the test."""
    sql("CREATE TABLE landing.numbers (n integer)")
    yield
    queue_clusters.kill_all()


def write(path: Path, *numbers: object) -> str:
    path.write_text("\n".join(map(str, ["n", *numbers, ""])))
    return str(path)


def states() -> set[str]:
    return set(LoadRequest.objects.values_list("state", flat=True))


def test_cluster_loads_all_queued_files_once(manage: Manage, tmp_path: Path) -> None:
    paths = [write(tmp_path / f"{number}.csv", number) for number in range(3)]
    bad = write(tmp_path / "bad.csv", "many")
    assert manage("load_file", *paths, bad, "--table", "landing.numbers", "--queue").exit_code == 0
    for message in OrmQ.objects.all():  # every message is delivered twice
        OrmQ.objects.create(key=message.key, payload=message.payload, lock=message.lock)
    cluster = start()
    wait_until(lambda: states() == {"ended"} and not OrmQ.objects.exists())
    assert sql("SELECT n FROM landing.numbers ORDER BY 1") == [(0,), (1,), (2,)]
    assert LoadRequest.objects.exclude(error_message=None).get().source_uri.endswith("bad.csv")
    assert set(Task.objects.values_list("success", flat=True)) == {True}
    cluster.send_signal(signal.SIGTERM)
    assert cluster.wait(60) == 0


def test_request_of_a_killed_worker_is_loaded_by_the_next(manage: Manage, tmp_path: Path) -> None:
    path = write(tmp_path / "numbers.csv", *range(1000))
    manage("load_file", path, "--table", "landing.numbers", "--queue")
    with another_session() as blocker:
        blocker.execute("BEGIN; LOCK TABLE landing.numbers")
        first = start()
        wait_until(lambda: sql("SELECT pid FROM pg_locks WHERE NOT granted AND relation = 'landing.numbers'::regclass"))
        kill(first)
        assert (states(), LoadLog.objects.get().status) == ({"running"}, "pending")
    start("watch_queue")
    wait_until(lambda: states() == {"ended"})
    request, load = LoadRequest.objects.get(), LoadLog.objects.get()
    assert (request.attempts, request.error_message, request.load_id) == (2, None, load.pk)
    assert (load.status, load.attempts, sql("SELECT count(*) FROM landing.numbers")) == ("success", 2, [(1000,)])


def test_cluster_undoes_and_replays_loads_of_the_admin(manage: Manage, tmp_path: Path) -> None:
    manage("track_loads", "landing.numbers")
    path = write(tmp_path / "numbers.csv", 1, 2)
    manage("load_file", path, "--table", "landing.numbers")
    client = Client()
    client.force_login(User.objects.create_superuser("anna"))
    pages = "/admin/data_pipeline/loadlog/1"
    try:
        assert "queued as" in client.post(f"{pages}/undo/", follow=True).content.decode()
        assert sql("SELECT count(*) FROM landing.numbers") == [(2,)]
        start()
        wait_until(lambda: states() == {"ended"})
        assert sql("SELECT count(*) FROM landing.numbers") == [(0,)]
        assert "undone</span>" in client.get(f"{pages}/change/").content.decode()
        client.post(f"{pages}/replay/")
        wait_until(lambda: states() == {"ended"} and LoadRequest.objects.count() == 2)
    finally:
        User.objects.all().delete()
    assert sql("SELECT n FROM landing.numbers ORDER BY 1") == [(1,), (2,)]
    assert (LoadLog.objects.get().status, LoadLog.objects.get().attempts) == ("success", 2)


def test_stopped_cluster_gives_its_request_back(manage: Manage, tmp_path: Path) -> None:
    manage("load_file", write(tmp_path / "numbers.csv", 1), "--table", "landing.numbers", "--queue")
    with another_session() as blocker:
        blocker.execute("BEGIN; LOCK TABLE landing.numbers")
        first = start("watch_queue", "--grace", "1")
        wait_until(lambda: sql("SELECT pid FROM pg_locks WHERE NOT granted AND relation = 'landing.numbers'::regclass"))
        first.send_signal(signal.SIGTERM)
        first.wait(60)
        assert states() == {"queued"}
    start()
    wait_until(lambda: states() == {"ended"})
    assert sql("SELECT count(*) FROM landing.numbers") == [(1,)]
