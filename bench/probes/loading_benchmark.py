"""Measures loads of a file of orders: client and server, in turn with psql's COPY and with other tools."""

import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from uuid import uuid4

from bench.contenders.builtin import DJANGO_SETTINGS
from bench.environments import program
from bench.interleaved_runs import Command, CommandFailed, Measurement, measure
from bench.options import WORK, Options
from bench.probes.backend_cpu import BACKEND_CPU
from bench.server import BenchServer
from bench.workloads.orders import COLUMNS, CREATE_TABLE, TABLE, write_orders
from data_pipeline import conf
from data_pipeline.storage import s3
from data_pipeline.storage.object_store import ObjectStore
from embedded.object_storage import server as object_storage

PSQL, CLEAN, DIRTY, BUCKET = "psql \\copy", "load_file", "load_file, 1 % bad", "load_file, from a bucket"
UPSERT_NEW, UPSERT_SAME, UPDATE_ALL = (
    "load_file, upsert of new rows",
    "load_file, upsert of the same file",
    "ON CONFLICT DO UPDATE",
)
BULK_CREATE, IMPORT_EXPORT = "Django bulk_create", "django-import-export"
DLT_ROWS, DLT_ARROW, PANDAS, PGLOADER = "dlt, rows", "dlt, arrow", "pandas to_sql", "pgloader"
_DATABASE = "loading"
_PROBES = Path(__file__).parent


@dataclass(frozen=True, kw_only=True)
class LoadMeasurement:
    """One load. CPU seconds are those of the client without the start of Django, and of the server's backends."""

    seconds: float
    client_cpu: float
    process_cpu: float  # of the client with its start
    server_cpu: float
    memory: int  # of the client, bytes
    rejected: int | None
    wal: int  # bytes that the server wrote meanwhile
    merge_cpu: float | None  # of the server, for merging staged rows into the table

    @property
    def cpu(self) -> float:
        return self.client_cpu + self.server_cpu

    @property
    def cpu_with_start(self) -> float:
        return self.process_cpu + self.server_cpu


@dataclass(kw_only=True)
class LoadingResults:
    """The measurements of each way to load, for a number of records."""

    records: int
    bad_records: int
    measurements: Mapping[str, Sequence[LoadMeasurement]] = field(default_factory=dict)
    failures: Mapping[str, str] = field(default_factory=dict)


def loading(bench: BenchServer, options: Options) -> Iterator[LoadingResults]:
    """Yield the measurements of large files, then those of smaller ones with the other tools."""
    bench.create_database(_DATABASE)
    environment = {**bench.django_variables(_DATABASE), "DJANGO_SETTINGS_MODULE": DJANGO_SETTINGS}
    migrate = [sys.executable, "manage.py", "migrate", "data_pipeline"]
    measure(Command(name="migrate", arguments=migrate, environment=environment))
    large, small = (10_000, 2000) if options.quick else (1_000_000, 100_000)
    yield _measure(bench, options, large, others=False)
    yield _measure(bench, options, small, others=True)


def _measure(bench: BenchServer, options: Options, records: int, *, others: bool) -> LoadingResults:
    clean, dirty = WORK / f"orders_{records}.csv", WORK / f"orders_{records}_bad.csv"
    print(f"Orders: writing {records:,} records", flush=True)
    write_orders(clean, records)
    bad = write_orders(dirty, records, with_bad_records=True)
    others_or_bucket = _other_commands(bench, clean) if others else [_bucket_command(bench, clean)]
    commands = [*_own_commands(bench, clean, dirty), *others_or_bucket]
    commands = [command for command in commands if command.name not in options.without]
    measurements: dict[str, list[LoadMeasurement]] = {command.name: [] for command in commands}
    failures: dict[str, str] = {}
    for number in range(min(options.rounds, 3) + 1):
        for command in commands:
            if command.name in failures:
                continue
            _prepare(bench, keeps_rows=command.name in {UPSERT_SAME, UPDATE_ALL})
            try:
                measured = _with_server_cpu(bench, command)
            except CommandFailed as error:
                failures[command.name] = str(error).splitlines()[-1]
                print(f"  {command.name} failed: {failures[command.name]}", flush=True)
                continue
            print(f"  round {number}: {command.name} {measured.seconds:.2f} s, {measured.cpu:.2f} s of CPU", flush=True)
            if number:
                measurements[command.name].append(measured)
    return LoadingResults(records=records, bad_records=len(bad), measurements=measurements, failures=failures)


def _prepare(bench: BenchServer, *, keeps_rows: bool) -> None:
    """Empty the table, unless the rows of the turn before are to be loaded again."""
    with bench.connect(_DATABASE) as connection:
        connection.execute("DROP SCHEMA IF EXISTS dlt_orders CASCADE")
        if not keeps_rows:
            connection.execute(CREATE_TABLE.encode())
        connection.execute(f"VACUUM (ANALYZE) {TABLE}".encode())
        connection.execute("CHECKPOINT")


def _with_server_cpu(bench: BenchServer, command: Command) -> LoadMeasurement:
    """Run a command. The postmaster counts the CPU of a backend when it has ended."""
    wal_before = bench.wal_position(_DATABASE)
    bench.wait_for_idle()
    before = bench.cpu_of_ended_backends()
    measured: Measurement = measure(command)
    bench.wait_for_idle()
    server_cpu = bench.cpu_of_ended_backends() - before
    return LoadMeasurement(
        seconds=measured.seconds,
        client_cpu=measured.reported.get("inner_cpu", measured.cpu),
        process_cpu=measured.cpu,
        server_cpu=server_cpu,
        memory=measured.memory,
        rejected=measured.reported.get("rows_rejected"),
        wal=bench.wal_position(_DATABASE) - wal_before,
        merge_cpu=measured.reported.get("merge_cpu"),
    )


def _own_commands(bench: BenchServer, clean: Path, dirty: Path) -> Sequence[Command]:
    libpq, names = bench.libpq_variables(_DATABASE), ", ".join(COLUMNS)
    copy = f"\\copy {TABLE} ({names}) FROM '{clean}' WITH (FORMAT csv, HEADER)"
    values = ", ".join(f"{name} = excluded.{name}" for name in COLUMNS if name != "order_id")
    update_all = (
        f"CREATE TEMP TABLE staged (LIKE {TABLE});"
        f"\n{copy.replace(TABLE, 'staged')}\n"
        f"{BACKEND_CPU} \\gset before_\n"
        f"INSERT INTO {TABLE} SELECT * FROM staged ON CONFLICT (order_id) DO UPDATE SET {values};\n"
        f"SELECT json_build_object('merge_cpu', seconds - :before_seconds) FROM ({BACKEND_CPU}) AS after;"
    )
    script = WORK / "update_all.sql"
    script.write_text(update_all, encoding="utf-8")
    psql = [str(bench.psql), "--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set", "ON_ERROR_STOP=1"]
    return [
        Command(name=PSQL, arguments=[*psql, "--command", copy], environment=libpq),
        _load_command(bench, CLEAN, clean),
        _load_command(bench, DIRTY, dirty),
        _load_command(bench, UPSERT_NEW, clean, "upsert"),
        _load_command(bench, UPSERT_SAME, clean, "upsert"),
        Command(name=UPDATE_ALL, arguments=[*psql, "--file", str(script)], environment=libpq),
    ]


def _load_command(bench: BenchServer, name: str, *arguments: object, **variables: str) -> Command:
    return Command(
        name=name,
        arguments=[sys.executable, "-m", "bench.probes.load_orders", *map(str, arguments)],
        environment={**bench.django_variables(_DATABASE), "DJANGO_SETTINGS_MODULE": DJANGO_SETTINGS, **variables},
    )


def _bucket_command(bench: BenchServer, clean: Path) -> Command:
    """Copy the file into a bucket, and return the command that loads it from there."""
    storage = object_storage.ensure_running(WORK / "object-storage", keeps_data=False).settings()
    settings = conf.load_from(SimpleNamespace(DATA_PIPELINE=storage))
    bucket = f"bench-{uuid4().hex}"  # the server may still run from another benchmark
    s3.open_client(settings).create_bucket(Bucket=bucket)
    with ObjectStore(settings).put(bucket, clean.name) as writer, clean.open("rb") as file:
        shutil.copyfileobj(file, writer, 1 << 20)
    return _load_command(bench, BUCKET, f"s3://{bucket}/{clean.name}", **storage)


def _other_commands(bench: BenchServer, clean: Path) -> Iterator[Command]:
    libpq = bench.libpq_variables(_DATABASE)
    yield Command(
        name=BULK_CREATE,
        arguments=[sys.executable, "-m", "bench.probes.bulk_create_orders", str(clean)],
        environment={**bench.django_variables(_DATABASE), "DJANGO_SETTINGS_MODULE": DJANGO_SETTINGS},
    )
    for name, environment, *arguments in (
        (IMPORT_EXPORT, "import_export", "import_export_orders.py", str(clean)),
        (DLT_ROWS, "dlt", "dlt_orders.py", str(clean), "rows"),
        (DLT_ARROW, "dlt", "dlt_orders.py", str(clean), "arrow"),
        (PANDAS, "pandas", "pandas_orders.py", str(clean)),
    ):
        script, *values = arguments
        python = str(program(environment, "python"))
        yield Command(name=name, arguments=[python, str(_PROBES / script), *values], environment=libpq)
    if pgloader := shutil.which("pgloader"):  # a package of the system
        yield Command(name=PGLOADER, arguments=[pgloader, str(_pgloader_script(bench, clean))], environment=libpq)


def _pgloader_script(bench: BenchServer, clean: Path) -> Path:
    script = WORK / "orders.load"
    names = ", ".join(COLUMNS)
    script.write_text(
        f"LOAD CSV FROM '{clean}' ({names})\n"
        f"INTO postgresql://{bench.libpq_variables(_DATABASE)['PGUSER']}@unix:{bench.host}:"
        f"{bench.libpq_variables(_DATABASE)['PGPORT']}/{_DATABASE} TARGET TABLE orders ({names})\n"
        "WITH skip header = 1, fields terminated by ',', fields optionally enclosed by '\"';\n",
        encoding="utf-8",
    )
    return script
