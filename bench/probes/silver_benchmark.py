"""Measures transforms from bronze to silver: a large file, and a run over finished objects."""

import shutil
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from uuid import uuid4

from bench.interleaved_runs import Command, CommandFailed, Measurement, run_interleaved
from bench.options import WORK, Options
from bench.workloads.orders import write_orders
from data_pipeline import conf
from data_pipeline.domain.silver_objects import silver_key
from data_pipeline.services.silver.planning import SilverRequest, plan_silver, silver_request
from data_pipeline.storage import s3
from data_pipeline.storage.object_store import ObjectStore
from embedded.object_storage import server as object_storage

CSV_PASS, CLEAN_OBJECT, DIRTY_OBJECT = "csv.reader to csv.writer", "get_s3_files", "get_s3_files, 1 % bad"
_DIALECT = Path(__file__).parent.parent / "workloads" / "orders.toml"
_LARGE, _LARGE_BAD, _FINISHED = "1", "2", "3"  # agencies


@dataclass(frozen=True, kw_only=True)
class FinishedRun:
    """A run over objects that are all finished."""

    seconds: float
    cpu: float
    operations: Counter[str]  # number of requests by name


@dataclass(frozen=True, kw_only=True)
class SilverResults:
    """The measurements."""

    records: int
    size: int  # bytes
    measurements: Mapping[str, Sequence[Measurement]]
    objects: int
    finished: Sequence[FinishedRun]


def silver(options: Options) -> SilverResults:
    """Measure everything with an object storage of its own."""
    records, objects = (10_000, 200) if options.quick else (1_000_000, 10_000)
    clean, dirty = WORK / f"orders_{records}.csv", WORK / f"orders_{records}_bad.csv"
    print(f"Silver: writing {records:,} records and {objects:,} objects", flush=True)
    write_orders(clean, records)
    write_orders(dirty, records, with_bad_records=True)
    storage = object_storage.ensure_running(WORK / "object-storage", keeps_data=False).settings()
    settings = conf.load_from(SimpleNamespace(DATA_PIPELINE=storage))
    store, buckets = ObjectStore(settings), [f"{name}-{uuid4().hex}" for name in ("bronze", "silver")]
    for bucket in buckets:
        s3.open_client(settings).create_bucket(Bucket=bucket)
    for agency, path in ((_LARGE, clean), (_LARGE_BAD, dirty)):
        with store.put(buckets[0], f"{agency}/{path.name}") as writer, path.open("rb") as file:
            shutil.copyfileobj(file, writer, 1 << 20)
    copy = [sys.executable, "-m", "bench.probes.copy_csv", str(clean), str(WORK / "copy.csv")]
    commands = [
        Command(name=CSV_PASS, arguments=copy),
        *(
            Command(
                name=name,
                arguments=[sys.executable, "-m", "bench.probes.transform_orders", agency, *buckets, str(_DIALECT)],
                environment=storage,
            )
            for name, agency in ((CLEAN_OBJECT, _LARGE), (DIRTY_OBJECT, _LARGE_BAD))
        ),
    ]
    rounds = min(options.rounds, 3)
    measured = run_interleaved(commands, rounds=rounds, on_progress=lambda text: print(f"  {text}", flush=True))
    return SilverResults(
        records=records,
        size=clean.stat().st_size,
        measurements=measured,
        objects=objects,
        finished=_finished_runs(store, settings, buckets, objects=objects, rounds=rounds),
    )


def _finished_runs(
    store: ObjectStore, settings: conf.Settings, buckets: Sequence[str], *, objects: int, rounds: int
) -> Sequence[FinishedRun]:
    """Write objects and what a first run would have written, and measure second runs."""

    def write(number: int) -> None:
        key, content = f"{_FINISHED}/{number:06}.csv", f"n\n{number}\n".encode()
        with store.put(buckets[0], key) as source:
            source.write(content)
        with store.put(buckets[1], silver_key(key, source.etag, compression="none")) as target:
            target.write(content)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(objects)))
    source, destination = buckets
    request = silver_request(settings, agency_id=_FINISHED, source_bucket=source, destination_bucket=destination)
    return [_finished_run(settings, request, objects=objects) for _ in range(rounds)]


def _finished_run(settings: conf.Settings, request: SilverRequest, *, objects: int) -> FinishedRun:
    requests: list[str] = []
    store = ObjectStore(settings)
    store._client.meta.events.register(  # noqa: SLF001  # counts what is sent
        "before-send.s3", lambda event_name, **_: requests.append(event_name.rpartition(".")[2])
    )
    started_at, cpu = time.monotonic(), time.process_time()
    plan = plan_silver(store, request)
    run = FinishedRun(
        seconds=time.monotonic() - started_at, cpu=time.process_time() - cpu, operations=Counter(requests)
    )
    if (plan.finished, len(plan.due)) != (objects, 0):
        raise CommandFailed(f"{plan.finished:,} of {objects:,} objects are finished")
    print(f"  {objects:,} finished objects: {run.seconds:.2f} s, {dict(run.operations)}", flush=True)
    return run
