"""The pipeline of freight rates against a real local HTTP server."""

import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from hashlib import sha256
from typing import Any

import pytest
from django.db import connection

from data_pipeline import tasks
from data_pipeline.errors import PipelineError
from data_pipeline.models import LoadLog
from data_pipeline.pipelines.errors import StaleSnapshot
from data_pipeline.pipelines.logistics_etl import run_logistics_etl
from tests.conftest import CompletedCommand, another_session, sql
from tests.integration.data_pipeline.metric_samples import samples
from tests.polling import eventually
from tests.scripted_http import ScriptedServer, Step, answer, serve

pytestmark = pytest.mark.usefixtures("pipeline_tables")
UseApi = Callable[[str, ScriptedServer], None]
RATE = {"service": "air", "price_per_kg": 2.5, "currency": "EUR", "valid_from": "2026-11-01", "days": 3}


def content(*lanes: str, seqno: object = None, **changes: object) -> bytes:
    rates = [{"lane": lane, **RATE, **changes} for lane in lanes]
    return json.dumps({"rates": rates} | ({} if seqno is None else {"seqno": seqno})).encode()


def snapshot(*lanes: str, seqno: object = None, **changes: object) -> Step:
    return answer(body=content(*lanes, seqno=seqno, **changes))


def rates() -> Sequence[tuple[Any, ...]]:
    return sql("SELECT lane, price_per_kg::text FROM freight_rates ORDER BY lane")


def test_known_sequence_number_is_skipped(use_api: UseApi) -> None:
    with serve(snapshot("CN-DE", seqno=7), snapshot("CN-DE", seqno=7, price_per_kg=9)) as server:
        use_api("logistics", server)
        assert run_logistics_etl().counts.rows_inserted == 1
        assert run_logistics_etl().is_skipped
    assert rates() == [("CN-DE", "2.5000")]


def test_snapshot_without_a_number_is_known_by_its_hash(use_api: UseApi) -> None:
    first, second = content("CN-DE"), content("CN-DE", "CN-PL", price_per_kg=3)
    with serve(*(answer(body=one) for one in (first, first, second, first))) as server:
        use_api("logistics", server)
        assert [run_logistics_etl().is_skipped for _ in range(4)] == [False, True, False, True]
    assert rates() == [("CN-DE", "3.0000"), ("CN-PL", "3.0000")]
    assert LoadLog.objects.order_by("id")[0].payload_meta["file_sha256"] == sha256(first).hexdigest()


def test_rows_in_and_upserted_are_recorded_and_in_the_view(use_api: UseApi) -> None:
    with serve(snapshot("A", "B", "C", seqno=1), snapshot("B", "C", "D", seqno=2)) as server:
        use_api("logistics", server)
        run_logistics_etl()
        sql("UPDATE freight_rates SET price_per_kg = 9 WHERE lane = 'B'")
        run_logistics_etl()
        address = f"{server.url}/v1/freight-rates"
    assert len(rates()) == 4  # a snapshot deletes nothing, because it has no past rates
    meta = LoadLog.objects.order_by("id")[1].payload_meta
    assert (meta["rows_in"], meta["rows_upserted"]) == (3, 2)
    columns = "load_id, seqno, source_uri, status, rows_in, rows_upserted, rows_unchanged"
    assert sql(f"SELECT {columns} FROM logistics_loadlog ORDER BY load_id") == [
        (1, 1, address, "success", 3, 3, 0),
        (2, 2, address, "success", 3, 2, 1),
    ]


def test_older_snapshot_is_refused_unless_it_is_accepted(use_api: UseApi) -> None:
    with serve(*(snapshot("A", seqno=number, price_per_kg=number) for number in (8, 7, 7, 9, 1, 2))) as server:
        use_api("logistics", server)
        run_logistics_etl()
        with pytest.raises(StaleSnapshot, match="snapshot 7 from http://.* is older than 8"):
            run_logistics_etl()
        assert (rates(), LoadLog.objects.order_by("-id")[0].status) == ([("A", "8.0000")], "failed")
        run_logistics_etl(accept_older=True)
        run_logistics_etl()
        run_logistics_etl(accept_older=True)  # the numbers begin anew
        assert run_logistics_etl().load_id
    assert rates() == [("A", "2.0000")]


def test_older_snapshot_waits_for_the_newer_one_and_is_refused(use_api: UseApi) -> None:
    def run() -> None:
        with closing(connection), suppress(StaleSnapshot):
            run_logistics_etl()

    with serve(snapshot("A", seqno=8, price_per_kg=8), snapshot("A", seqno=7)) as server, another_session() as blocker:
        use_api("logistics", server)
        with ThreadPoolExecutor(2) as threads:
            blocker.execute("BEGIN; LOCK TABLE freight_rates IN SHARE MODE")
            threads.submit(run)
            eventually(lambda: waiting() == 1)
            threads.submit(run)
            eventually(lambda: waiting() == 2)
            blocker.execute("COMMIT")
    assert rates() == [("A", "8.0000")]
    assert set(sql("SELECT seqno, status FROM logistics_loadlog")) == {(8, "success"), (7, "failed")}


def waiting() -> int:
    [(count,)] = sql("SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'freight_rates'::regclass")
    return int(count)


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (answer(body=b"<html>"), "is not JSON"),
        (answer(body=b"[]"), "no object with a list `rates`"),
        (snapshot(seqno=1), "list `rates` that is not empty"),
        (snapshot("A", seqno="7"), "perhaps a whole number `seqno`"),
        (snapshot("A", seqno=True), "perhaps a whole number `seqno`"),
        (answer(500), "status 500 after 4 attempts"),
        (snapshot("A", "A"), r"is record 2: .*\(A, air, 2026-11-01\)"),
        (snapshot("A", valid_from="1.11.2026"), "is record 1: valid_from must be a date"),
        (snapshot("A", price_per_kg=True), "is record 1: price_per_kg must be a non-negative Decimal"),
        (answer(body=b'{"rates": [{"lane": "A"}]}'), "is record 1: service must be given"),
    ],
)
def test_bad_snapshot_is_one_line_and_leaves_nothing(use_api: UseApi, step: Step, message: str) -> None:
    with serve(step) as server:
        use_api("logistics", server)
        with pytest.raises(PipelineError, match=message) as raised:
            run_logistics_etl()
    assert ("\n" in str(raised.value), rates()) == (False, [])
    assert samples()["etl_runs_total", "logistics_etl", "failed"] == 1


def test_command_and_task_run_the_same_pipeline(use_api: UseApi, manage: Callable[..., CompletedCommand]) -> None:
    with serve(snapshot("A", seqno=1), snapshot("A", seqno=1), snapshot("A", seqno=0)) as server:
        use_api("logistics", server)
        assert tasks.logistics_etl_full()["rowsUpserted"] == 1
        assert manage("logistics_etl", "--json").document["status"] == "skipped"
        stale = manage("logistics_etl")
    assert (stale.exit_code, "--accept-older" in stale.err) == (1, True)
    found = samples()
    assert [found["etl_runs_total", "logistics_etl", one] for one in ("success", "skipped", "failed")] == [1, 1, 1]
