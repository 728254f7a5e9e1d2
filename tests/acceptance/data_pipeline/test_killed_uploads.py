"""Web servers that are killed during an upload: nothing is loaded, or the whole file."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path

import pytest
from django_q.models import OrmQ
from pytest_django import Settings

from data_pipeline.models import LoadRequest
from data_pipeline.services.load_pruning import prune_loads
from data_pipeline.services.load_requests import rescue_requests
from tests.acceptance import api_clients
from tests.acceptance.data_pipeline import api_scene
from tests.acceptance.data_pipeline.upload_server import UploadServer, upload_server
from tests.conftest import another_session, sql
from tests.polling import eventually

pytestmark = pytest.mark.slow
CONTENT = b"id,amount\n7,1\n8,2\n"
NAME = blake2b(CONTENT, digest_size=32).hexdigest()
LOCK = 4711
# The commit of a request waits until the test releases the lock.
_PAUSE_AT_COMMIT = f"""
CREATE FUNCTION landing.pause() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN PERFORM pg_advisory_xact_lock({LOCK}); RETURN NULL; END';
CREATE CONSTRAINT TRIGGER pause AFTER INSERT ON load_request DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION landing.pause();
"""
_WAITING = "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"


@pytest.fixture
def server(load_tables: None, empty_queue: None, tmp_path: Path, settings: Settings) -> Iterator[UploadServer]:
    settings.DATA_PIPELINE = {**settings.DATA_PIPELINE, "UPLOAD_ROOT": str(tmp_path)}
    sql("CREATE TABLE landing.fees (id bigint, amount numeric)")
    with upload_server(tmp_path) as server:
        yield server
    api_clients.delete_users()


@contextmanager
def killed_while_waiting(server: UploadServer, lock: str) -> Iterator[None]:
    """Let the request wait for a lock, then kill the server and its session."""
    with another_session() as session, session.transaction():
        session.execute(lock)
        with server.begin(CONTENT, length=len(CONTENT)):
            eventually(lambda: sql(_WAITING))
            server.kill()
        session.execute(f"SELECT pg_terminate_backend(pid, 60000) FROM ({_WAITING}) AS waiting")
        yield


def loaded() -> list[tuple[int]]:
    return sql("SELECT id FROM landing.fees ORDER BY id")


def test_server_killed_in_an_upload_leaves_only_a_temporary_file(server: UploadServer) -> None:
    with server.begin(bytes(4 << 20), length=8 << 20):
        eventually(lambda: sum(path.stat().st_size for path in server.folder.iterdir()) > 1 << 20)
        server.kill()
    [name] = server.stored()
    assert name.startswith(".incoming-")
    assert (LoadRequest.objects.count(), prune_loads().uploads) == (0, 0)
    a_day_ago = time.time() - 25 * 3600
    os.utime(server.folder / name, (a_day_ago, a_day_ago))
    assert (prune_loads().uploads, server.stored()) == (1, [])


def test_client_that_closes_its_connection_leaves_nothing(server: UploadServer) -> None:
    with server.begin(bytes(4 << 20), length=8 << 20):
        eventually(lambda: sum(path.stat().st_size for path in server.folder.iterdir()) > 1 << 20)
    eventually(lambda: not server.stored())
    assert LoadRequest.objects.count() == 0


def test_server_killed_before_the_request_leaves_an_orphan(server: UploadServer) -> None:
    sql(_PAUSE_AT_COMMIT)
    try:
        with killed_while_waiting(server, f"SELECT pg_advisory_xact_lock({LOCK})"):
            assert server.stored() == [NAME]
        assert (LoadRequest.objects.count(), OrmQ.objects.count()) == (0, 0)
    finally:
        sql("DROP FUNCTION landing.pause() CASCADE")
    assert (prune_loads().uploads, server.stored()) == (1, [])


def test_server_killed_after_the_request_is_loaded_by_a_worker(server: UploadServer) -> None:
    with killed_while_waiting(server, "LOCK TABLE django_q_ormq IN EXCLUSIVE MODE"):
        assert LoadRequest.objects.get().dispatched_at is None
    assert (OrmQ.objects.count(), prune_loads().uploads, server.stored()) == (0, 0, [NAME])
    sql("UPDATE load_request SET created_at = now() - interval '2 minutes'")
    assert rescue_requests().dispatched == (LoadRequest.objects.get().pk,)
    assert api_scene.run_queued()["result"] == "success"
    assert loaded() == [(7,), (8,)]
