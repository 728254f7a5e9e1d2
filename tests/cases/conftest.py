"""A role that refreshes views and is no superuser, as in a usual deployment."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import connection

from tests.conftest import CompletedCommand, another_session, run_in_process, sql

ROLE = "seeder"


@dataclass(frozen=True)
class Deployment:
    """The commands and psql, as the role `seeder`."""

    def manage(self, *arguments: str, **environment: str) -> CompletedCommand:
        """Run a command."""
        return run_in_process(*arguments, DB_USER=ROLE, **environment)

    def execute(self, statements: str, *, user: str = ROLE) -> None:
        """Run statements in another session, as in psql."""
        with another_session(user=user) as session:
            session.execute(statements.encode())

    def problems(self, problem: str, *options: str) -> dict[str, dict[str, Any]]:
        """Return what the doctor finds of a problem, by subject."""
        found = self.manage("doctor", "--json", *options).document["diagnoses"]
        return {one["subject"]: one for one in found if one["problem"] == problem}

    def add_manifest(self, view: str, query: str) -> None:
        """Add a custom manifest."""
        sql(
            "INSERT INTO reporting.seeder_custom_report_manifest"
            " (table_name, report_name, agency_id, agency_slug, database_id, query) VALUES (%s, %s, 1, 'demo', 1, %s)",
            view,
            view,
            query,
        )


@pytest.fixture
def deployment(empty_queue: None) -> Iterator[Deployment]:
    """Commands of the role `seeder`, which is no superuser and may create views in `reporting`."""
    _drop_role()
    sql(f"CREATE ROLE {ROLE} LOGIN")
    sql(f"GRANT USAGE, CREATE ON SCHEMA reporting, public TO {ROLE}")
    sql(f"GRANT ALL ON ALL TABLES IN SCHEMA reporting, public TO {ROLE}")
    sql(f"GRANT ALL ON ALL SEQUENCES IN SCHEMA reporting, public TO {ROLE}")
    yield Deployment()
    connection.close()
    _drop_role()


def _drop_role() -> None:
    if sql("SELECT 1 FROM pg_roles WHERE rolname = %s", ROLE):
        sql(f"DROP OWNED BY {ROLE} CASCADE")
        sql(f"DROP ROLE {ROLE}")
