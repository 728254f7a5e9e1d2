"""Fixtures for tests that talk to PostgreSQL: a database with nothing but the contract's empty tables, and the public
commands run against it as processes of their own."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connection, connections
from django.test.utils import setup_databases, teardown_databases
from django_q.models import OrmQ, Schedule, Task
from pytest_django import DjangoDbBlocker

from seeder.models import CannedReport, CannedReportManifest, CustomReportManifest
from seeder.postgres import contract

CHECKOUT = Path(__file__).resolve().parent.parent
AGENCIES = {"demo": 1, "metro": 2, "harbor": 3}


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the caller's shell says about colours, widths, languages and the app is no part of a test."""
    for name in list(os.environ):
        if name.startswith(("SEEDER_", "LC_", "PYTHONIO")) or name in {"COLUMNS", "LINES", "FORCE_COLOR", "NO_COLOR"}:
            monkeypatch.delenv(name)
    monkeypatch.setenv("LC_ALL", "C.UTF-8")


@pytest.fixture(scope="session")
def databases(django_test_environment: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Django's test databases, one for each alias."""
    with django_db_blocker.unblock():
        created = setup_databases(verbosity=0, interactive=False)
    yield
    with django_db_blocker.unblock():
        teardown_databases(created, verbosity=0)


@pytest.fixture
def bare_database(databases: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Databases without any schema but `public`. What the test commits is committed, and gone before the next."""
    with django_db_blocker.unblock():
        for database in connections:
            _empty(database)
        yield
        connections.close_all()


def _empty(database: str) -> None:
    [(name,)] = sql("SELECT current_database()", using=database)
    assert name.startswith("test_"), f"{name} is somebody's database"
    sql(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE pid <> pg_backend_pid() AND datname = current_database()",
        using=database,
    )
    for (schema,) in sql(
        "SELECT quote_ident(nspname) FROM pg_namespace"
        " WHERE nspname !~ '^pg_' AND nspname NOT IN ('information_schema', 'public')",
        using=database,
    ):
        sql(f"DROP SCHEMA {schema} CASCADE", using=database)


@pytest.fixture
def reporting(bare_database: None) -> None:
    """The contract's tables, empty."""
    contract.install("default")


@pytest.fixture
def queue(reporting: None) -> None:
    """An empty queue. Its tables belong to another app and outlive the schema."""
    for table in (OrmQ, Task, Schedule):
        table.objects.all().delete()


def sql(statement: str, *parameters: str | int, using: str = "default") -> list[tuple[Any, ...]]:
    """The rows of a statement, if it has any."""
    with connections[using].cursor() as cursor:
        cursor.execute(statement, parameters or None)
        return list(cursor.fetchall()) if cursor.description else []


def server_major() -> int:
    """Of the PostgreSQL that the tests talk to: 15, 18."""
    [(number,)] = sql("SELECT current_setting('server_version_num')::integer")
    return int(number) // 10000


@contextmanager
def another_session(**differently: str) -> "Iterator[psycopg.Connection[Any]]":
    """A connection of somebody else, in autocommit."""
    parameters = {
        key: value for key, value in connection.get_connection_params().items() if key in _LIBPQ and value is not None
    }
    with psycopg.connect(**{**parameters, **differently}, autocommit=True) as session:
        yield session


_LIBPQ = {"host", "port", "dbname", "user", "password"}


def custom(table_name: str, query: str, *, agency: str = "demo", enabled: bool = True) -> CustomReportManifest:
    """A custom manifest."""
    return CustomReportManifest.objects.create(
        table_name=table_name,
        report_name=f"Report {table_name}",
        agency_id=AGENCIES[agency],
        agency_slug=agency,
        query=query,
        database_id=1,
        enabled=enabled,
    )


def canned(table_name: str, query: str, *, agencies: tuple[str, ...]) -> list[CannedReportManifest]:
    """A canned report and its subscriptions."""
    report = CannedReport.objects.create(
        table_name=table_name, report_name=f"Canned {table_name}", query=query, database_id=1
    )
    return [
        CannedReportManifest.objects.create(agency_id=AGENCIES[slug], agency_slug=slug, canned_report=report)
        for slug in agencies
    ]


@dataclass(frozen=True, kw_only=True)
class Ended:
    """A command that has ended."""

    code: int
    out: str
    err: str
    document: Any = field(default=None)  # what --json printed

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()


@pytest.fixture
def manage(bare_database: None) -> Callable[..., Ended]:
    """Run `manage.py` as an operator does, against the database of this test."""

    def run(*arguments: str, **environment: str) -> Ended:
        process = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=CHECKOUT,
            env={**process_environment(), **environment},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        document = json.loads(process.stdout) if "--json" in arguments and process.stdout else None
        return Ended(code=process.returncode, out=process.stdout, err=process.stderr, document=document)

    return run


def process_environment() -> dict[str, str]:
    """Where another process finds the database of this test: the very variables that an operator sets."""
    server = connection.get_connection_params()
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "settings.test",
        "DB_HOST": str(server.get("host", "")),
        "DB_PORT": str(server.get("port", "")),
        "DB_NAME": str(server["dbname"]),
        "DB_USER": str(server.get("user", "")),
        "DB_PASSWORD": str(server.get("password", "")),
    }
