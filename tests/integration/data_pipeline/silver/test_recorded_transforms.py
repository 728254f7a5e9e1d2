"""Transforms with a database: loads, dead letters, and requests of the queue."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from django_q.models import OrmQ
from pytest_django import Settings

from data_pipeline import tasks
from data_pipeline.jobs import get_s3_files
from data_pipeline.models import LoadDeadLetter, LoadLog, LoadReject, LoadRequest
from data_pipeline.postgres import reference_tables
from data_pipeline.services.load_replay import enqueue_replay
from data_pipeline.services.recovery import recover_loads
from data_pipeline.services.silver.object_transform import ObjectTransform, WrittenObject
from data_pipeline.storage.zstd import zstd
from seeder.errors import ExtraMissing, SettingsMissing
from tests.buckets import Bucket
from tests.conftest import CompletedCommand, sql

pytestmark = pytest.mark.usefixtures("load_tables", "empty_queue", "s3_settings")
MISSING = ExtraMissing(feature="Compression with zstd", distribution="backports.zstd", extra="zstd")
Run = Callable[..., int]
Manage = Callable[..., CompletedCommand]


@pytest.fixture
def run(bronze: Bucket, silver: Bucket, settings: Settings) -> Run:
    """Run the job in this process, for agency 10 and both buckets of the settings."""
    settings.DATA_PIPELINE |= {"SOURCE_BUCKET": bronze.name, "DESTINATION_BUCKET": silver.name}
    return lambda *arguments: get_s3_files.entrypoint(["--agency-id", "10", *arguments])


def load(**condition: Any) -> LoadLog:
    return LoadLog.objects.get(**condition)


def test_transform_is_recorded_with_its_counts_and_rejects(run: Run, bronze: Bucket, silver: Bucket) -> None:
    bronze.put("10/a.csv", b"a,b\n1,2\n3\n")
    assert run() == 0
    row = load()
    [key] = [key for key in silver.contents() if not key.startswith("_")]
    metadata = silver.client.head_object(Bucket=silver.name, Key=key)["Metadata"]
    assert (row.source, row.status, row.target, row.rows_in, row.rows_rejected) == (
        *("silver.transform", "success", None),
        *(2, 1),
    )
    assert row.idempotency_key == metadata["load-key"]
    assert row.payload_meta["silver_uri"] == silver.uri(key)
    assert row.payload_meta["content_sha256"] == metadata["content-sha256"]
    assert (row.payload_meta["source_uri"], row.payload_meta["rows"]) == (bronze.uri("10/a.csv"), 1)
    assert [(one.line_no, bytes(one.raw)) for one in LoadReject.objects.all()] == [(3, b"3")]


def test_table_of_a_lookup_is_read_once_in_a_run(
    run: Run, bronze: Bucket, silver: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sql("CREATE TABLE landing.articles (sku text, kind text); INSERT INTO landing.articles VALUES ('A', 'tools')")
    lookup = "[columns.sku]\nrule = 'upper'\n[lookups.kind]\ncolumn = 'sku'\ntable = 'landing.articles'\n"
    (tmp_path / "orders.toml").write_text(lookup)
    read_table = Mock(wraps=reference_tables.read_table)
    monkeypatch.setattr(reference_tables, "read_table", read_table)
    for name in "ab":
        bronze.put(f"10/{name}.csv", b"sku,name\na,%b\n" % name.encode())
    assert run("--dialect", str(tmp_path / "orders.toml")) == 0
    assert sorted(silver.contents().values()) == [b"sku,name,kind\nA,a,tools\n", b"sku,name,kind\nA,b,tools\n"]
    assert read_table.call_count == 1


def test_object_that_needs_a_missing_extra_does_not_end_the_others(
    run: Run, bronze: Bucket, silver: Bucket, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    bronze.put("10/a.csv.zst", zstd.compress(b"a\n1\n"))
    bronze.put("10/b.csv", b"a\n1\n")
    monkeypatch.setattr("data_pipeline.storage.unpacking._MEMBERS", {"zstd": Mock(side_effect=MISSING)})
    assert run() == 1
    assert f"{MISSING}\n" in capsys.readouterr().out
    assert list(silver.contents().values()) == [b"a\n1\n"]


def test_lost_database_does_not_repeat_finished_objects(
    run: Run, bronze: Bucket, capsys: pytest.CaptureFixture[str]
) -> None:
    bronze.put("10/a.csv", b"a\n1\n")
    run()
    sql("SET session_replication_role = replica; DELETE FROM load_log; RESET session_replication_role")
    capsys.readouterr()
    assert run() == 0
    assert capsys.readouterr().out == f"Objects at s3://{bronze.name}/10/: 1 finished before\n"


def test_object_deleted_from_silver_is_written_again(run: Run, bronze: Bucket, silver: Bucket) -> None:
    bronze.put("10/a.csv", b"a\n1\n")
    run()
    [key] = silver.keys()
    silver.client.delete_object(Bucket=silver.name, Key=key)
    assert run() == 0
    assert silver.contents() == {key: b"a\n1\n"}
    assert LoadLog.objects.filter(status="success").count() == 1  # the forced one
    assert LoadLog.objects.count() == 2


def test_forced_run_is_a_load_of_its_own(run: Run, bronze: Bucket) -> None:
    bronze.put("10/a.csv", b"a\n1\n")
    assert (run(), run("--force"), run("--force")) == (0, 0, 0)
    assert list(LoadLog.objects.values_list("status", flat=True)) == ["success"] * 3


@pytest.mark.parametrize("is_recovered", [False, True])
def test_object_of_a_killed_process_is_recorded_by_the_next_run(is_recovered: bool, run: Run, bronze: Bucket) -> None:  # noqa: FBT001
    bronze.put("10/a.csv", b"a\n1\n")
    run()
    sql("UPDATE load_log SET status = 'pending', rows_in = NULL")  # as if it was killed before its commit
    if is_recovered:
        assert recover_loads(actor="test") == [load().pk]
    assert run() == 0
    assert (load().status, load().rows_in, load().attempts) == ("success", 1, 2)


def test_failed_object_becomes_a_dead_letter_and_waits(
    run: Run, bronze: Bucket, silver: Bucket, capsys: pytest.CaptureFixture[str]
) -> None:
    bronze.put("10/bad.csv", b"a,b\n1\n")
    assert run() == 1
    letter = LoadDeadLetter.objects.get()
    assert (letter.uri, letter.state, letter.attempts) == (bronze.uri("10/bad.csv"), "open", 1)
    assert (letter.error_code, load().status) == ("too_many_rejects", "failed")
    assert letter.error_message
    assert "1 of 1 records were refused" in letter.error_message
    assert letter.next_try_at == letter.updated_at + timedelta(minutes=15)
    assert LoadReject.objects.count() == 1
    capsys.readouterr()
    assert run() == 0  # it is not tried before its time
    assert capsys.readouterr().out == f"Objects at s3://{bronze.name}/10/: 1 waiting as dead letters\n"
    assert load().attempts == 1
    sql("UPDATE load_log SET updated_at = updated_at - interval '15 minutes'")
    assert run() == 1
    letter.refresh_from_db()
    assert (letter.attempts, letter.next_try_at) == (2, letter.updated_at + timedelta(minutes=30))


def test_letter_waits_for_an_operator_after_six_attempts(run: Run, bronze: Bucket) -> None:
    bronze.put("10/bad.csv", b"")
    for _ in range(6):
        assert run() == 1
        sql("UPDATE load_log SET updated_at = updated_at - interval '2 days'")
    letter = LoadDeadLetter.objects.get()
    assert (letter.attempts, letter.next_try_at) == (6, None)
    assert run() == 0


def test_replay_processes_the_present_version_and_resolves(
    run: Run, bronze: Bucket, silver: Bucket, manage: Manage
) -> None:
    bronze.put("10/bad.csv", b"")
    run()
    letter = LoadDeadLetter.objects.get()
    failed = manage("dead_letters", "--replay", str(letter.pk))
    assert (failed.exit_code, failed.out.count("is empty, but a file needs a header")) == (1, 1)
    bronze.put("10/bad.csv", b"a\n1\n")
    ended = manage("dead_letters", "--replay")
    assert ended.exit_code == 0
    assert f"load {letter.pk}: resolved (load {load(status='success').pk})" in ended.out
    letter.refresh_from_db()
    assert (letter.state, letter.attempts, letter.next_try_at) == ("resolved", 2, None)
    assert list(silver.contents().values()) == [b"a\n1\n"]
    assert manage("dead_letters").out == "No dead letters\n"
    [listed] = manage("dead_letters", "--all", "--json").document["letters"]
    assert (listed["loadId"], listed["state"]) == (letter.pk, "resolved")


def test_dismissed_letter_is_not_tried_again(run: Run, bronze: Bucket, manage: Manage) -> None:
    bronze.put("10/bad.csv", b"")
    run()
    letter = LoadDeadLetter.objects.get()
    assert manage("dead_letters", str(letter.pk), "--dismiss").exit_code == 0
    assert manage("dead_letters", str(letter.pk), "--dismiss").exit_code == 1
    assert manage("dead_letters", str(letter.pk)).exit_code == 2
    assert run() == 0
    assert load().attempts == 1
    bronze.put("10/bad.csv", b"a\n1\n")  # another version
    assert run() == 0
    assert LoadLog.objects.filter(status="success").count() == 1


def test_failed_force_is_attempted_again_as_the_same_load(run: Run, bronze: Bucket, manage: Manage) -> None:
    bronze.put("10/bad.csv", b"")
    assert run("--force") == 1
    [forced] = LoadDeadLetter.objects.all()
    assert manage("replay", str(forced.pk)).exit_code == 2
    assert (load().pk, load().attempts, load().status) == (forced.pk, 2, "failed")


def test_queued_replay_of_an_object_transforms_it(run: Run, bronze: Bucket) -> None:
    bronze.put("10/bad.csv", b"")
    run()
    bronze.put("10/bad.csv", b"a\n1\n")
    queued = enqueue_replay(load().pk, requested_by="anna")
    assert tasks.import_file(queued.request_id)["result"] == "written"
    assert LoadDeadLetter.objects.get().state == "resolved"
    again = enqueue_replay(load(status="success").pk, requested_by="anna")  # as a new load
    assert tasks.import_file(again.request_id)["result"] == "written"
    assert LoadLog.objects.filter(status="success").count() == 2


def test_unresolved_failures_of_objects_are_not_pruned(run: Run, bronze: Bucket, manage: Manage) -> None:
    bronze.put("10/bad.csv", b"")
    run()
    manage("dead_letters", str(load().pk), "--dismiss")
    sql("UPDATE load_log SET updated_at = updated_at - interval '9 days', created_at = created_at - interval '9 days'")
    assert manage("prune_loads", "--days", "8", "--json").document["loads"] == 0
    bronze.put("10/bad.csv", b"a\n1\n")
    assert run() == 0
    assert manage("prune_loads", "--days", "8", "--dry-run", "--json").document["loads"] == 1
    assert manage("prune_loads", "--days", "8", "--json").document["loads"] == 1
    assert not LoadDeadLetter.objects.exists()


def test_scatter_queues_ids_and_workers_transform(run: Run, bronze: Bucket, silver: Bucket) -> None:
    bronze.put("10/a.csv", b"a\n1\n")
    bronze.put("10/bad.csv", b"")
    assert run("--scatter") == 0
    requests = list(LoadRequest.objects.order_by("id"))
    assert [(one.action, one.source_uri) for one in requests] == [
        ("transform", bronze.uri("10/a.csv")),
        ("transform", bronze.uri("10/bad.csv")),
    ]
    assert [one.task["args"] for one in OrmQ.objects.order_by("id")] == [(one.pk,) for one in requests]
    assert silver.keys() == []
    assert run("--scatter") == 0  # the same objects are queued once
    assert LoadRequest.objects.count() == 2
    done, failed = (tasks.import_file(one.pk) for one in requests)
    assert (done["result"], done["rows_in"], done["load_id"]) == ("written", 1, load(status="success").pk)
    assert failed["result"].startswith("failed: s3://")
    assert [key.split("/")[1] for key in silver.contents()] == ["a.csv"]
    assert LoadDeadLetter.objects.count() == 1
    assert tasks.import_file(requests[0].pk)["result"].startswith("nothing: ")


def test_scatter_without_settings_is_refused(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    from data_pipeline.services.handler import ServiceHandler

    def missing() -> None:
        raise SettingsMissing

    arguments = ["--agency-id", "10", "--scatter"]
    with pytest.raises(SettingsMissing):
        get_s3_files.entrypoint(arguments, handler=ServiceHandler(start_django=missing))


def test_transaction_may_wait_for_the_object_storage(run: Run, bronze: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    bronze.put("10/a.csv", b"a\n1\n")
    sql("SET idle_in_transaction_session_timeout = '1h'")
    found = list[Any]()
    write_to = ObjectTransform.write_to

    def observed(transform: ObjectTransform, bucket: str) -> WrittenObject:
        found.append(sql("SHOW idle_in_transaction_session_timeout")[0][0])
        return write_to(transform, bucket)

    monkeypatch.setattr(ObjectTransform, "write_to", observed)
    assert run() == 0
    assert found == ["0"]
    assert sql("SHOW idle_in_transaction_session_timeout") == [("1h",)]
