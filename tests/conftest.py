"""Fixtures for tests with PostgreSQL: databases with the contract's empty tables, and the commands run against them."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any, TextIO

import psycopg
import pytest
from django.core.management import execute_from_command_line
from django.db import connection, connections
from django.test.utils import setup_databases, teardown_databases
from django_q.models import OrmQ, Schedule, Task
from hypothesis import HealthCheck, settings
from pytest_django import DjangoDbBlocker

from embedded import server
from seeder.models import CannedReport, CannedReportManifest, CustomReportManifest
from settings.base import has_database_variables
from tests.database_reset import (
    close_connections,
    ensure_scene,
    install_contract,
    mark_all_used,
    reset_databases,
)

# Examples are generated slowly on a busy machine, which is no fault of the code.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")

pytest_plugins = ["tests.buckets", "tests.database_marks", "tests.load_fixtures", "tests.pipeline_fixtures"]
CHECKOUT = Path(__file__).resolve().parent.parent
BuildScene = Callable[[Callable[[], None]], None]
AGENCIES = {"demo": 1, "metro": 2, "harbor": 3}


def pytest_xdist_auto_num_workers() -> int:
    """Return the workers of `-n auto`: with DB_* one process, because databases and roles have fixed names there."""
    if has_database_variables():
        return 0
    return 1 + len(os.sched_getaffinity(0))  # tests wait for much of their time


@pytest.fixture(autouse=True, scope="session")
def clean_environment() -> Iterator[None]:
    """Remove colors, widths, languages and settings of the app from the environment."""
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            is_display = name in {"COLUMNS", "LINES", "FORCE_COLOR", "NO_COLOR"}
            if is_display or name.startswith(
                ("SEEDER_", "DATA_PIPELINE_", "INGEST_", "S3_", "AWS_", "LC_", "PYTHONIO", "STATS_", "CACHE_", "REDIS_")
            ):
                patch.delenv(name)
        patch.setenv("LC_ALL", "C.UTF-8")
        yield


_END_OTHER_SESSIONS = (
    "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


@pytest.fixture(scope="session")
def django_databases(django_test_environment: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Django's test databases, one for each alias."""
    with django_db_blocker.unblock():
        created = setup_databases(verbosity=0, interactive=False)
    yield
    with django_db_blocker.unblock():
        connections.close_all()  # one from before the browser started an event loop may have been ended meanwhile
        for alias in connections:  # the server may not have noticed yet that a test killed a client
            sql(_END_OTHER_SESSIONS, using=alias)
        teardown_databases(created, verbosity=0)
        if "PYTEST_XDIST_WORKER" in os.environ and (embedded := connections.settings["default"].get("EMBEDDED")):
            connections.close_all()
            server.stop(embedded["FOLDER"])  # no later process uses the server of a worker


@pytest.fixture
def bare_database(
    request: pytest.FixtureRequest, django_databases: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[None]:
    """Databases without any schema except `public`. If a test also uses `contract_tables`, the contract's tables may
    remain from the previous test. What a test commits is removed before the next test.
    """
    with django_db_blocker.unblock():
        reset_databases(keep_contract="contract_tables" in request.fixturenames)
        yield
        close_connections()


@pytest.fixture
def contract_tables(bare_database: None) -> None:
    """The contract's tables, empty."""
    install_contract()


@pytest.fixture
def scene(django_databases: None, django_db_blocker: DjangoDbBlocker) -> Iterator[BuildScene]:
    """Build a scene once for all tests that only read it: `scene(build)`. After a test that wrote to the contract's
    tables it is built again. The queue is empty.
    """

    def build_scene(build: Callable[[], None]) -> None:
        ensure_scene(f"{build.__module__}.{build.__qualname__}", build)
        _empty_queue()

    with django_db_blocker.unblock():
        yield build_scene
        close_connections()


@pytest.fixture
def empty_queue(contract_tables: None) -> None:
    """An empty queue. Its tables belong to another app and are not in the contract's schema."""
    _empty_queue()


def _empty_queue() -> None:
    sql("; ".join(f"DELETE FROM {table._meta.db_table}" for table in (OrmQ, Task, Schedule)))


def sql(statement: str, *parameters: str | int, using: str = "default") -> list[tuple[Any, ...]]:
    """Execute a statement. Return its rows, if it has any."""
    with connections[using].cursor() as cursor:
        cursor.execute(statement, parameters or None)
        return list(cursor.fetchall()) if cursor.description else []


def has_statements() -> bool:
    """Return whether the server has pg_stat_statements.

    The server of a wheel may lack contrib modules.
    """
    return bool(sql("SELECT 1 FROM pg_available_extensions WHERE name = 'pg_stat_statements'"))


def need_statements() -> None:
    """Skip the test if the server has no pg_stat_statements."""
    if not has_statements():
        pytest.skip("this server has no pg_stat_statements")


def server_major_version() -> int:
    """Return the major version of the PostgreSQL server, for example 18."""
    [(number,)] = sql("SELECT current_setting('server_version_num')::integer")
    return int(number) // 10000


@contextmanager
def another_session(**overrides: str) -> "Iterator[psycopg.Connection[Any]]":
    """Open another connection to the test database, in autocommit mode."""
    parameters = {
        key: value
        for key, value in connection.get_connection_params().items()
        if key in _LIBPQ_PARAMETERS and value is not None
    }
    with psycopg.connect(**{**parameters, **overrides}, autocommit=True) as session:
        yield session


_LIBPQ_PARAMETERS = {"host", "port", "dbname", "user", "password"}


def create_custom_manifest(
    table_name: str, query: str, *, agency: str = "demo", enabled: bool = True
) -> CustomReportManifest:
    """Create a custom manifest."""
    return CustomReportManifest.objects.create(
        table_name=table_name,
        report_name=f"Report {table_name}",
        agency_id=AGENCIES[agency],
        agency_slug=agency,
        query=query,
        database_id=1,
        enabled=enabled,
    )


def create_canned_report(table_name: str, query: str, *, agencies: tuple[str, ...]) -> list[CannedReportManifest]:
    """Create a canned report and its subscriptions."""
    report = CannedReport.objects.create(
        table_name=table_name, report_name=f"Canned {table_name}", query=query, database_id=1
    )
    return [
        CannedReportManifest.objects.create(agency_id=AGENCIES[slug], agency_slug=slug, canned_report=report)
        for slug in agencies
    ]


@dataclass(frozen=True, kw_only=True)
class CompletedCommand:
    """The result of a command."""

    exit_code: int
    out: str
    err: str
    document: Any = field(default=None)  # output of --json, parsed

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()


@pytest.fixture
def manage(bare_database: None) -> Callable[..., CompletedCommand]:
    """Run `manage.py` in this process, against the database of the test. If the environment has a variable that Python
    or Django read at start-up, run it as a separate process.
    """
    return run_in_process


@pytest.fixture
def manage_process(bare_database: None) -> Callable[..., CompletedCommand]:
    """Run `manage.py` as a separate process, against the database of the test."""
    return _run_as_process


_STARTUP_VARIABLES = {"DJANGO_SETTINGS_MODULE", "PYTHONPATH", "PYTHONIOENCODING"}


def run_in_process(*arguments: str, **environment: str) -> CompletedCommand:
    """Run `manage.py` here, or as a process if it needs a start-up variable."""
    if _STARTUP_VARIABLES & environment.keys():
        return _run_as_process(*arguments, **environment)
    out, err = StringIO(), StringIO()
    code = run_manage_command(*arguments, out=out, err=err, **environment)
    return _completed_command(arguments, code, out.getvalue(), err.getvalue())


def run_manage_command(*arguments: str, out: TextIO, err: TextIO, **environment: str) -> int:
    """Run `manage.py` on the database of the test. Return its exit code."""
    with default_database(environment), pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        with redirect_stdout(out), redirect_stderr(err):
            try:
                execute_from_command_line(["manage.py", *arguments])
            except SystemExit as end:
                return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0


def _run_as_process(*arguments: str, **environment: str) -> CompletedCommand:
    process = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=CHECKOUT,
        env={**process_environment(), **environment},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    return _completed_command(arguments, process.returncode, process.stdout, process.stderr)


def _completed_command(arguments: tuple[str, ...], code: int, out: str, err: str) -> CompletedCommand:
    document = json.loads(out) if "--json" in arguments and out else None
    return CompletedCommand(exit_code=code, out=out, err=err, document=document)


@contextmanager
def default_database(environment: Mapping[str, str]) -> Iterator[None]:
    """Use connections of its own for `default`, defined by DB_* variables."""
    variables = {**_server_variables(), **environment}
    address = {name.removeprefix("DB_"): value for name, value in variables.items() if name.startswith("DB_")}
    previous_settings, previous_connection = connections.settings["default"], connections["default"]
    connections.settings["default"] = {**previous_settings, "ENGINE": "django.db.backends.postgresql", **address}
    del connections["default"]
    try:
        yield
    finally:
        connections["default"].close()
        connections.settings["default"] = previous_settings
        connections["default"] = previous_connection


def process_environment() -> dict[str, str]:
    """Return the environment for another process to connect to the test database."""
    mark_all_used()
    return {**os.environ, "DJANGO_SETTINGS_MODULE": "settings.test", **_server_variables()}


def _server_variables() -> dict[str, str]:
    server = connection.get_connection_params()
    return {
        "DB_HOST": str(server.get("host", "")),
        "DB_PORT": str(server.get("port", "")),
        "DB_NAME": str(server["dbname"]),
        "DB_USER": str(server.get("user", "")),
        "DB_PASSWORD": str(server.get("password", "")),
    }
