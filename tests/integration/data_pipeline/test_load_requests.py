"""Queued loads: claims, duplicates, ends, and rescues of lost messages and killed workers."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import IntegrityError, OperationalError, transaction
from django_q.models import OrmQ

from data_pipeline import tasks
from data_pipeline.artefact_errors import ArtefactMissing
from data_pipeline.dialect_errors import UnknownDialect
from data_pipeline.errors import InsideTransaction, LoadInProgress
from data_pipeline.models import LoadLog, LoadRequest
from data_pipeline.services import request_execution
from data_pipeline.services.load_options import LoadOptions
from data_pipeline.services.load_requests import enqueue_load, rescue_requests
from data_pipeline.services.request_execution import run_request
from seeder.errors import BadTaskArgument, QueueMissing, ServerFault
from seeder.services.queue import dispatch, rescue
from tests.conftest import CompletedCommand, another_session, sql

pytestmark = pytest.mark.usefixtures("load_tables", "empty_queue")
Manage = Callable[..., CompletedCommand]
TABLE = LoadOptions(table="landing.numbers")


@pytest.fixture(autouse=True)
def numbers(load_tables: None) -> None:
    sql("CREATE TABLE landing.numbers (n integer)")


@pytest.fixture
def path(tmp_path: Path) -> str:
    (tmp_path / "numbers.csv").write_text("n\n1\n2\n")
    return str(tmp_path / "numbers.csv")


def queued(path: str, options: LoadOptions = TABLE) -> int:
    return enqueue_load(path, options, requested_by="test").request_id


def request(request_id: int) -> LoadRequest:
    return LoadRequest.objects.get(pk=request_id)


def rows() -> int:
    return int(sql("SELECT count(*) FROM landing.numbers")[0][0])


def test_command_prints_the_requests(path: str, manage: Manage) -> None:
    ended = manage("load_file", path, "--table", "landing.numbers", "--max-rejects", "3", "--queue", "--json")
    [printed] = ended.document["requests"]
    row = request(printed["requestId"])
    assert (ended.exit_code, printed["sourceUri"], row.state) == (0, f"file://{path}", "queued")
    assert (row.options, row.requested_by) == ({"table": "landing.numbers", "max_rejects": 3}, "load_file")
    assert (row.dispatched_at is not None, OrmQ.objects.count(), rows()) == (True, 1, 0)


def test_task_loads_the_file_and_returns_its_counts(path: str) -> None:
    request_id = queued(path)
    result = tasks.import_file(request_id)
    load = LoadLog.objects.get()
    assert result == {"id": request_id, "result": "success", "load_id": load.pk, "rows_in": 2, "rows_rejected": 0}
    row = request(request_id)
    assert (row.state, row.load_id, row.error_message, row.finished_at is not None) == ("ended", load.pk, None, True)
    assert (rows(), load.task_id) == (2, f"load request {request_id}")


def test_duplicate_message_has_no_effect(path: str) -> None:
    request_id = queued(path)
    run_request(request_id)
    assert run_request(request_id).result == "nothing: it has ended, or does not exist"
    assert run_request(987).result == "nothing: it has ended, or does not exist"
    assert rows() == 2
    assert sql("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()") == [(0,)]


def test_error_in_the_claim_leaves_no_lock(path: str) -> None:
    request_id = queued(path)
    sql("ALTER TABLE load_request ADD CONSTRAINT broken CHECK (state = 'queued')")
    try:
        with pytest.raises(IntegrityError):
            run_request(request_id)
    finally:
        sql("ALTER TABLE load_request DROP CONSTRAINT broken")
    assert sql("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()") == [(0,)]


def test_request_inside_a_transaction_is_refused(path: str) -> None:
    with transaction.atomic(), pytest.raises(InsideTransaction):
        queued(path)
    assert (LoadRequest.objects.count(), OrmQ.objects.count()) == (0, 0)


def test_request_of_a_live_worker_is_not_claimed(path: str) -> None:
    request_id = queued(path)
    with another_session() as worker:
        worker.execute(f"SELECT pg_advisory_lock(hashtextextended('data_pipeline.request {request_id}', 0))")
        assert run_request(request_id).result == "nothing: another worker loads it"
        sql("UPDATE load_request SET state = 'running'")
        assert rescue_requests().dispatched == ()


def test_second_request_for_a_loaded_file_is_skipped(path: str) -> None:
    run_request(queued(path))
    assert run_request(queued(path)).result == "skipped"
    assert rows() == 2


def test_forced_request_is_loaded_once_by_several_attempts(path: str) -> None:
    run_request(queued(path))
    request_id = queued(path, LoadOptions(table="landing.numbers", force=True))
    run_request(request_id)
    sql("UPDATE load_request SET state = 'queued'")  # killed between the commit of the load and the end of the request
    assert run_request(request_id).result == "skipped"
    assert rows() == 4


def test_too_many_rejects_end_the_request_with_the_error(path: str) -> None:
    Path(path).write_text("n\n1\nmany\n")
    request_id = queued(path)
    result = tasks.import_file(request_id)
    row = request(request_id)
    assert (row.state, row.load_id, result["load_id"]) == ("ended", LoadLog.objects.get().pk, row.load_id)
    assert 'invalid input syntax for type integer: "many"' in (row.error_message or "")
    assert result["result"].startswith("failed: 1 of 2 records were rejected")
    assert rows() == 0


def test_file_that_vanished_ends_the_request(path: str) -> None:
    request_id = queued(path)
    Path(path).unlink()
    assert run_request(request_id).result.startswith("failed: There is no file")
    assert request(request_id).state == "ended"


@pytest.mark.parametrize(
    ("name", "options", "error"),
    [("missing.csv", TABLE, ArtefactMissing), ("numbers.csv", LoadOptions(dialect="nosuch"), UnknownDialect)],
)
def test_wrong_request_is_refused_at_once(path: str, name: str, options: LoadOptions, error: type[Exception]) -> None:
    with pytest.raises(error):
        queued(str(Path(path).with_name(name)), options)
    assert not LoadRequest.objects.exists()


def test_request_without_a_queue_is_refused(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatch, "is_installed", lambda: False)
    with pytest.raises(QueueMissing):
        queued(path)
    assert not LoadRequest.objects.exists()
    assert rescue_requests().dispatched == ()


def test_lost_message_is_sent_again(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise QueueMissing(problem="the broker is down")

    with monkeypatch.context() as patch:
        patch.setattr(dispatch, "dispatch", refuse)
        request_id = queued(path)
    assert request(request_id).dispatched_at is None
    assert rescue_requests().dispatched == ()  # it may still be on its way
    sql("UPDATE load_request SET created_at = created_at - interval '2 minutes'")
    assert list(rescue.rescue_all()) == [f"dispatched again: load request {request_id}"]
    assert OrmQ.objects.count() == 1
    assert rescue_requests().dispatched == ()


def test_old_message_is_sent_again_later_with_a_backlog(path: str) -> None:
    request_id = queued(path)
    sql("UPDATE load_request SET dispatched_at = dispatched_at - interval '2 minutes'")
    assert rescue_requests().dispatched == ()
    OrmQ.objects.all().delete()
    assert rescue_requests().dispatched == (request_id,)


def test_request_of_a_killed_worker_is_taken_again(path: str) -> None:
    request_id = queued(path)
    sql("UPDATE load_request SET state = 'running', attempts = 1, worker = 'dead:1'")
    assert rescue_requests().dispatched == (request_id,)
    assert (request(request_id).state, request(request_id).worker) == ("queued", None)
    assert run_request(request_id).result == "success"


def test_request_is_given_up_after_five_killed_workers(path: str) -> None:
    request_id = queued(path)
    sql("UPDATE load_request SET state = 'running', attempts = 5")
    assert run_request(request_id).result.startswith("failed: given up")
    assert (request(request_id).state, rows()) == ("ended", 0)


def test_server_error_queues_the_request_again(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OperationalError from psycopg.errors.DiskFull("no space left")

    request_id = queued(path)
    with monkeypatch.context() as patch:
        patch.setattr("data_pipeline.services.chunk_loader.ChunkLoader.run", fail)
        with pytest.raises(ServerFault):
            run_request(request_id)
    row = request(request_id)
    assert (row.state, row.attempts, row.worker) == ("queued", 1, None)
    assert run_request(request_id).result == "success"
    assert rows() == 2


def test_file_that_another_process_loads_is_queued_again(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise LoadInProgress(artefact="a.csv", worker="other:1")

    monkeypatch.setattr(request_execution, "load_with_options", refuse)
    request_id = queued(path)
    assert run_request(request_id).result.startswith("queued again: a.csv is being loaded by other:1")
    assert (request(request_id).state, request(request_id).attempts) == ("queued", 0)


def test_stop_signal_queues_the_request_again(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt("SIGTERM")

    monkeypatch.setattr(request_execution, "load_with_options", stop)
    request_id = queued(path)
    with pytest.raises(KeyboardInterrupt):
        run_request(request_id)
    assert (request(request_id).state, request(request_id).attempts, OrmQ.objects.count()) == ("queued", 0, 2)


@pytest.mark.slow
def test_load_is_interrupted_before_the_queue_kills_it(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    sql(
        "CREATE FUNCTION landing.wait() RETURNS trigger LANGUAGE plpgsql"
        " AS 'BEGIN PERFORM pg_sleep(30); RETURN NEW; END';"
        " CREATE TRIGGER wait BEFORE INSERT ON landing.numbers FOR EACH ROW EXECUTE FUNCTION landing.wait()"
    )
    monkeypatch.setattr(dispatch, "time_limit", lambda: timedelta(seconds=2))
    request_id = queued(path)
    assert run_request(request_id).result.startswith("failed: it took longer than 0:00:02")
    assert (request(request_id).state, LoadLog.objects.get().status, rows()) == ("ended", "failed", 0)


@pytest.mark.parametrize("argument", ["7", True, None])
def test_task_refuses_anything_but_an_id(argument: Any) -> None:
    with pytest.raises(BadTaskArgument):
        tasks.import_file(argument)
