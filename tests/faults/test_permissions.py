"""Missing privileges of the refreshing role or of the view's owner."""

import pytest
from django.db import connections
from pytest_django import Settings

from seeder.domain.mode_predictor import RefreshMode
from seeder.domain.outcomes import Outcome
from tests.conftest import server_major_version, sql
from tests.faults.conftest import DATABASE
from tests.faults.gated_views import create_filled_view, latest_statuses, refresh_everything, sqlstate_of
from tests.faults.private_server import PrivateServer, default_database

pytestmark = pytest.mark.usefixtures("contract_tables")


@pytest.fixture(autouse=True)
def _views_of_two_roles(contract_tables: None) -> None:
    """`a` belongs to the role `owner`, `b` to the role `seeder`.

    Both read a table of the superuser.
    """
    sql("CREATE ROLE owner; CREATE ROLE seeder LOGIN")
    sql("CREATE TABLE reporting.source AS SELECT 1 AS n")
    create_filled_view("a")
    create_filled_view("b")
    sql("GRANT ALL ON SCHEMA reporting TO owner, seeder")
    sql("GRANT ALL ON ALL TABLES IN SCHEMA reporting TO seeder")
    sql("GRANT ALL ON ALL SEQUENCES IN SCHEMA reporting TO seeder")
    sql("REVOKE ALL ON reporting.a FROM seeder")
    sql("GRANT SELECT ON reporting.source TO owner")
    sql("ALTER MATERIALIZED VIEW reporting.a OWNER TO owner")
    sql("ALTER MATERIALIZED VIEW reporting.b OWNER TO seeder")
    sql("UPDATE reporting.source SET n = 2")


def contents() -> list[tuple[int, int]]:
    return [(a, b) for a, b in sql("SELECT a.n, b.n FROM reporting.a, reporting.b")]


def test_view_without_maintain_privilege_fails_alone(server: PrivateServer) -> None:
    with default_database(server.django_settings(DATABASE, user="seeder")):
        results = refresh_everything()
        assert (sqlstate_of(results["a"]), results["a"].attempts) == ("42501", 1)
        assert results["b"].outcome is Outcome.REFRESHED
    assert contents() == [(1, 2)]
    assert ("permission denied" if server_major_version() >= 17 else "must be owner") in str(latest_statuses()["a"][1])


def test_member_of_the_owner_can_refresh_on_every_version(server: PrivateServer) -> None:
    sql("GRANT owner TO seeder")
    with default_database(server.django_settings(DATABASE, user="seeder")):
        assert refresh_everything()["a"].outcome is Outcome.REFRESHED
    assert contents() == [(2, 2)]


def test_maintain_privilege_suffices_without_reading_the_source(server: PrivateServer) -> None:
    if server_major_version() < 17:
        pytest.skip("the privilege MAINTAIN needs PostgreSQL 17")
    sql("GRANT MAINTAIN ON reporting.a TO seeder")
    sql("REVOKE ALL ON reporting.source FROM seeder")
    with default_database(server.django_settings(DATABASE, user="seeder")):
        results = refresh_everything()
    assert results["a"].outcome is Outcome.REFRESHED
    assert sqlstate_of(results["b"]) == "42501"
    assert contents() == [(2, 1)]


def test_schema_without_usage_privilege_fails_its_view() -> None:
    sql("CREATE SCHEMA closed")
    sql("ALTER MATERIALIZED VIEW reporting.a SET SCHEMA closed")
    sql("UPDATE reporting.seeder_custom_report_manifest SET table_name = 'closed.a' WHERE table_name = 'reporting.a'")
    with default_database({**connections.settings["default"], "USER": "seeder"}):
        results = refresh_everything()
    assert sqlstate_of(results["a"]) == "42501"
    assert results["b"].outcome is Outcome.REFRESHED


def test_owner_without_access_to_the_source_fails_the_view() -> None:
    sql("REVOKE ALL ON reporting.source FROM owner")
    results = refresh_everything()
    assert (sqlstate_of(results["a"]), results["a"].attempts) == ("42501", 1)
    assert results["b"].outcome is Outcome.REFRESHED
    assert contents() == [(1, 2)]


def test_owner_without_temporary_tables_fails_only_concurrently(settings: Settings) -> None:
    """This SQLSTATE does not fall back, which would block readers."""
    sql("CREATE UNIQUE INDEX ON reporting.a (n)")
    sql(f"REVOKE TEMPORARY ON DATABASE {DATABASE} FROM PUBLIC")
    settings.SEEDER = {"REFRESH_CONCURRENTLY": True}
    result = refresh_everything()["a"]
    assert (sqlstate_of(result), result.fell_back, result.attempts) == ("42501", False, 1)
    assert "temporary tables" in str(latest_statuses()["a"][1])
    settings.SEEDER = {"REFRESH_CONCURRENTLY": False}
    assert refresh_everything()["a"].mode is RefreshMode.PLAIN
    assert contents() == [(2, 2)]
