"""As of when the data of views are, through chains of views."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connections
from pytest_django import Settings

from seeder.domain import skip_decision
from seeder.domain.freshness.data_age import DataAge, UnknownAge
from seeder.domain.manifests import ViewKey
from seeder.domain.mode_predictor import RefreshMode
from seeder.domain.outcomes import RefreshResult
from seeder.domain.refresh_requests import AllReports, SingleView
from seeder.domain.skip_proof import RowVersions
from seeder.domain.view_names import ViewName
from seeder.models import CustomReportManifest, Freshness
from seeder.postgres import sessions, skip_proofs
from seeder.postgres.contract import OptionalTables
from seeder.services import view_states
from seeder.services.run import create_or_refresh, orchestrator, skip_proving, view_refresh
from tests.conftest import another_session, create_custom_manifest, sql

pytestmark = pytest.mark.usefixtures("contract_tables")

BY_OTHERS = DataAge(as_of=None, unknown=UnknownAge.REFRESHED_BY_OTHERS)
UPSTREAM_UNKNOWN = DataAge(as_of=None, unknown=UnknownAge.UPSTREAM_UNKNOWN)


def key(name: str, database: str = "default") -> ViewKey:
    return ViewKey(database=database, name=ViewName(schema="reporting", name=name))


def age(name: str, database: str = "default") -> DataAge | None:
    return view_states.data_ages([key(name, database)], OptionalTables.read("default")).get(key(name, database))


def as_of(name: str, database: str = "default") -> datetime:
    found = age(name, database)
    assert found is not None
    assert found.as_of is not None, found.unknown
    return found.as_of


def refresh(*names: str) -> list[RefreshResult]:
    """Refresh views one after the other."""
    results: list[RefreshResult] = []
    for name in names:
        results += orchestrator.execute_run(SingleView(name=ViewName(schema="reporting", name=name))).results.values()
    assert all(result.failure is None for result in results)
    return results


def now() -> datetime:
    return sessions.server_time("default")


@pytest.fixture
def chain(contract_tables: None) -> None:
    """A view of a plain view of a view of a table."""
    sql("CREATE TABLE reporting.source AS SELECT 1 AS n")
    create_custom_manifest("reporting.a", "SELECT n FROM reporting.source")
    create_custom_manifest("reporting.b", "SELECT n FROM reporting.between")
    refresh("a")
    sql("CREATE VIEW reporting.between AS TABLE reporting.a")
    refresh("b")
    for name in "ab":
        sql(f"CREATE UNIQUE INDEX ON reporting.{name} (n)")


def test_data_are_as_of_the_start_of_the_refresh() -> None:
    create_custom_manifest("reporting.a", "SELECT 1 AS n")
    assert age("a") is None
    for _ in ("created", "refreshed"):
        before = now()
        [result] = refresh("a")
        assert before <= as_of("a") == result.started_at <= now()


@pytest.mark.usefixtures("chain")
@pytest.mark.parametrize("concurrently", [False, True])
def test_data_of_a_chain_are_as_of_its_first_view(settings: Settings, concurrently: bool) -> None:  # noqa: FBT001
    settings.SEEDER = {**getattr(settings, "SEEDER", {}), "REFRESH_CONCURRENTLY": concurrently}
    [result] = refresh("b")
    assert result.mode is (RefreshMode.CONCURRENT if concurrently else RefreshMode.PLAIN)
    assert as_of("b") == as_of("a") < result.started_at
    refresh("a")
    assert as_of("b") < as_of("a")
    refresh("b")
    assert as_of("b") == as_of("a")


@pytest.mark.usefixtures("chain")
@pytest.mark.parametrize("mode", ["", "CONCURRENTLY"])
def test_view_refreshed_by_others_is_unknown(mode: str) -> None:
    sql(f"REFRESH MATERIALIZED VIEW {mode} reporting.a")
    assert age("a") == BY_OTHERS
    assert age("b") is not None
    refresh("b")
    assert age("b") == UPSTREAM_UNKNOWN
    refresh("a", "b")
    assert as_of("b") == as_of("a")


@pytest.mark.usefixtures("chain")
def test_view_with_an_upstream_that_was_never_recorded_is_unknown() -> None:
    sql("DELETE FROM reporting.seeder_view_state WHERE view_name = 'a'")
    refresh("b")
    assert age("b") == UPSTREAM_UNKNOWN
    assert age("a") == DataAge(as_of=None, unknown=UnknownAge.NEVER_RECORDED)


@pytest.mark.usefixtures("chain")
def test_recreated_view_is_unknown() -> None:
    sql("DROP MATERIALIZED VIEW reporting.a CASCADE")
    sql("CREATE MATERIALIZED VIEW reporting.a AS SELECT 1 AS n")
    assert age("a") == BY_OTHERS


@pytest.mark.usefixtures("chain")
def test_maintenance_keeps_the_age() -> None:
    before = as_of("a")
    sql("ANALYZE reporting.a")
    sql("CREATE INDEX ON reporting.a (n)")
    with_vacuum = sessions.driver_connection("default")
    with_vacuum.execute("VACUUM (FREEZE) reporting.a")
    with_vacuum.execute("VACUUM (FREEZE) pg_class")
    assert as_of("a") == before


@pytest.mark.usefixtures("chain")
def test_upstream_that_changes_during_the_refresh_makes_it_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    original = create_or_refresh.create_or_refresh

    def after_another_refresh(*args: object, **kwargs: object) -> RefreshResult:
        with another_session() as session:
            session.execute("REFRESH MATERIALIZED VIEW reporting.a")
        return original(*args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(view_refresh, "create_or_refresh", after_another_refresh)
    refresh("b")
    assert age("b") == DataAge(as_of=None, unknown=UnknownAge.UPSTREAM_CHANGED)


@pytest.mark.usefixtures("chain")
@pytest.mark.parametrize("database", ["default", "archive"])
def test_upstream_that_changes_after_the_snapshot_of_a_proof_makes_it_unknown(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, database: str
) -> None:
    """A plain refresh replaces the storage, so the refresh reads its rows although the snapshot is older."""
    if database == "archive":
        settings.SEEDER = {"DATABASES": {1: "default", 2: "archive"}}
        sql("CREATE SCHEMA IF NOT EXISTS reporting; CREATE TABLE reporting.source AS SELECT 1 AS n", using=database)
        sql("CREATE MATERIALIZED VIEW reporting.a AS TABLE reporting.source", using=database)
        sql("CREATE VIEW reporting.between AS TABLE reporting.a", using=database)
        CustomReportManifest.objects.update(database_id=2)
        refresh("a", "b")
    monkeypatch.setattr(skip_decision, "MIN_DURATION", timedelta(0))
    refresh("b")
    assert age("b", database) == age("a", database)
    count = skip_proofs.count_row_versions

    def after_another_refresh(*args: Any, **kwargs: Any) -> RowVersions | None:
        with another_session(dbname=str(connections[database].settings_dict["NAME"])) as session:
            session.execute("REFRESH MATERIALIZED VIEW reporting.a")
        return count(*args, **kwargs)

    monkeypatch.setattr(skip_proving, "count_row_versions", after_another_refresh)
    [result] = refresh("b")
    assert result.proof is not None
    assert age("b", database) == DataAge(as_of=None, unknown=UnknownAge.UPSTREAM_CHANGED)


def test_view_of_an_opaque_function_is_unknown_unless_it_declares_its_dependencies() -> None:
    create_custom_manifest("reporting.a", "SELECT 1 AS n")
    refresh("a")
    sql("CREATE FUNCTION reporting.f() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM reporting.a'")
    create_custom_manifest("reporting.hidden", "SELECT reporting.f() AS n")
    create_custom_manifest("reporting.declared", "SELECT reporting.f() AS n\n-- depends_on: reporting.a")
    refresh("a", "hidden", "declared")
    assert age("hidden") == DataAge(as_of=None, unknown=UnknownAge.HIDDEN_INPUTS)
    assert as_of("declared") == as_of("a")


def test_failed_refresh_keeps_the_age() -> None:
    sql("CREATE TABLE reporting.source AS SELECT 1 AS n")
    create_custom_manifest("reporting.a", "SELECT 1 / n AS n FROM reporting.source")
    refresh("a")
    before = as_of("a")
    sql("UPDATE reporting.source SET n = 0")
    assert orchestrator.execute_run(AllReports()).failed == 1
    assert as_of("a") == before


def test_reused_refresh_keeps_the_age() -> None:
    create_custom_manifest("reporting.a", "SELECT 1 AS n")
    refresh("a")
    before = as_of("a")
    sql("UPDATE reporting.seeder_run_history SET start_time = now() + interval '1 hour', finish_time = now()")
    [result] = refresh("a")
    assert result.satisfied_by is not None
    assert as_of("a") == before


def test_chain_in_another_database_is_known(settings: Settings) -> None:
    settings.SEEDER = {"DATABASES": {1: "default", 2: "archive"}}
    sql("CREATE SCHEMA IF NOT EXISTS reporting", using="archive")
    create_custom_manifest("reporting.a", "SELECT 1 AS n")
    create_custom_manifest("reporting.b", "SELECT n FROM reporting.a")
    CustomReportManifest.objects.update(database_id=2)
    before = now()
    assert orchestrator.execute_run(AllReports()).failed == 0
    assert before <= as_of("b", "archive") == as_of("a", "archive") <= now()
    sql("REFRESH MATERIALIZED VIEW reporting.a", using="archive")
    assert age("a", "archive") == BY_OTHERS
    refresh("b")
    assert age("b", "archive") == UPSTREAM_UNKNOWN


def test_run_without_the_table_records_nothing() -> None:
    sql("DROP TABLE reporting.seeder_view_state")
    create_custom_manifest("reporting.a", "SELECT 1 AS n")
    [result] = refresh("a")
    assert result.data is None
    assert age("a") is None


def test_fresh_view_has_no_deadline_in_the_next_run() -> None:
    create_custom_manifest("reporting.a", "SELECT 1 AS n")
    Freshness.objects.create(table_name="reporting.a", target_lag=timedelta(hours=1))
    refresh("a")
    [view] = orchestrator.preview(AllReports()).views
    assert view.latest_start is not None
    assert timedelta(minutes=59) < view.latest_start - as_of("a") <= timedelta(hours=1)


def test_refresh_and_its_age_commit_together() -> None:
    create_custom_manifest("reporting.a", "SELECT 1 AS n")
    refresh("a")
    assert sql(
        "SELECT s.xmin = c.xmin AND s.view_xmin = c.xmin::text FROM pg_class c, reporting.seeder_view_state s"
        " WHERE c.oid = 'reporting.a'::regclass"
    ) == [(True,)]
