"""`records_processed` is the number of rows of the view after the refresh, in every mode."""

from collections.abc import Iterator
from typing import Any

import pytest
from pytest_django import Settings

from seeder.models import RunHistory, RunMetrics
from tests.cases.conftest import ROLE, Deployment
from tests.conftest import server_major_version, sql

CONCURRENTLY = {"SEEDER_REFRESH_CONCURRENTLY": "true"}
QUERY = "SELECT n, word FROM public.t"


@pytest.fixture
def view(deployment: Deployment) -> Iterator[Deployment]:
    """A view of 1,000 rows with a unique index."""
    deployment.execute(
        "CREATE TABLE public.t AS SELECT n, 'word'::text AS word FROM generate_series(1, 1000) AS n;"
        f"CREATE MATERIALIZED VIEW reporting.a AS {QUERY}; CREATE UNIQUE INDEX ON reporting.a (n)"
    )
    deployment.add_manifest("reporting.a", QUERY)
    yield deployment
    sql(f"ALTER ROLE {ROLE} RESET ALL")


def refresh(deployment: Deployment, **environment: str) -> dict[str, Any]:
    """Refresh the view. Its rows are the same in the document, in the history and in the view."""
    ended = deployment.manage("refresh_all", "--json", **environment)
    assert ended.exit_code == 0, ended.document["views"][0]["errors"]
    [document] = ended.document["views"]
    row = RunHistory.objects.latest("start_time")
    [(count,)] = sql("SELECT count(*) FROM reporting.a")
    assert (document["recordsProcessed"], row.records_processed) == (count, count)
    metrics = RunMetrics.objects.get(pk=row.pk)
    assert (metrics.rows_inserted, metrics.rows_deleted) == (document["rowsInserted"], document["rowsDeleted"])
    return dict(document)


def written(document: dict[str, Any]) -> tuple[str | None, int | None, int | None]:
    return document["mode"], document["rowsInserted"], document["rowsDeleted"]


def test_concurrent_refresh_of_an_unchanged_view_has_all_rows(view: Deployment) -> None:
    assert written(refresh(view, **CONCURRENTLY)) == ("concurrent", 0, 0)
    assert RunHistory.objects.get().records_processed == 1000


def test_concurrent_refresh_has_changed_rows_in_the_metrics(view: Deployment) -> None:
    view.execute("INSERT INTO public.t VALUES (1001, ''), (1002, ''); DELETE FROM public.t WHERE n = 1")
    view.execute("UPDATE public.t SET word = 'other' WHERE n IN (2, 3, 4)")
    assert written(refresh(view, **CONCURRENTLY)) == ("concurrent", 5, 4)
    assert written(refresh(view, **CONCURRENTLY)) == ("concurrent", 0, 0)


def test_plain_refresh_inserts_all_rows(view: Deployment) -> None:
    view.execute("DELETE FROM public.t WHERE n <= 10")
    assert written(refresh(view)) == ("plain", 990, 0)
    view.execute("DELETE FROM public.t")
    assert written(refresh(view)) == ("plain", 0, 0)
    assert written(refresh(view, **CONCURRENTLY)) == ("concurrent", 0, 0)


RECREATE = (
    f"DROP MATERIALIZED VIEW reporting.a; CREATE MATERIALIZED VIEW reporting.a AS {QUERY};"
    "CREATE UNIQUE INDEX ON reporting.a (n)"
)


@pytest.mark.parametrize(
    "meanwhile",
    ["REFRESH MATERIALIZED VIEW reporting.a", "REFRESH MATERIALIZED VIEW CONCURRENTLY reporting.a", RECREATE],
)
def test_refresh_outside_of_seeder_does_not_change_the_count(view: Deployment, meanwhile: str) -> None:
    refresh(view, **CONCURRENTLY)
    view.execute("DELETE FROM public.t WHERE n <= 100")
    view.execute(meanwhile)
    view.execute("DELETE FROM public.t WHERE n <= 105")
    assert written(refresh(view, **CONCURRENTLY)) == ("concurrent", 0, 5)


@pytest.mark.parametrize("end", ["", " WITH NO DATA", " WITH DATA"])
def test_created_view_has_all_rows(deployment: Deployment, end: str) -> None:
    deployment.add_manifest("reporting.a", f"SELECT generate_series(1, 1000) AS n{end}")
    assert written(refresh(deployment)) == (None, 1000, 0)


def test_refresh_that_falls_back_has_all_rows(view: Deployment) -> None:
    view.execute("DROP INDEX reporting.a_n_idx")
    assert written(refresh(view, **CONCURRENTLY)) == ("plain", 1000, 0)


@pytest.mark.parametrize("environment", [{}, CONCURRENTLY])
def test_rows_of_an_attempt_that_was_rolled_back_are_not_counted(view: Deployment, environment: dict[str, str]) -> None:
    """A session publishes its counters at most once a second, also those of a transaction that was rolled back."""
    view.execute(f"CREATE MATERIALIZED VIEW reporting.b AS {QUERY}; CREATE UNIQUE INDEX ON reporting.b (n)")
    view.add_manifest("reporting.b", QUERY)
    view.execute("INSERT INTO public.t SELECT generate_series(1001, 1010)")
    sql(
        "CREATE SEQUENCE reporting.refreshes; GRANT ALL ON SEQUENCE reporting.refreshes TO PUBLIC;"
        "CREATE FUNCTION reporting.fail_the_second() RETURNS trigger LANGUAGE plpgsql AS"
        " $$BEGIN IF nextval('reporting.refreshes') = 2 THEN RAISE SQLSTATE '40001'; END IF; RETURN new; END$$;"
        "CREATE TRIGGER fail_the_second BEFORE UPDATE ON reporting.seeder_run_history FOR EACH ROW"
        " WHEN (new.status = 'success') EXECUTE FUNCTION reporting.fail_the_second()"
    )
    first, second = view.manage("refresh_all", "--json", SEEDER_MAX_WORKERS="1", **environment).document["views"]
    assert (first["attempts"], second["attempts"]) == (1, 2)
    assert first["recordsProcessed"] == second["recordsProcessed"] == 1010
    assert first["rowsInserted"] == second["rowsInserted"] == (10 if environment else 1010)


@pytest.mark.parametrize("environment", [{}, CONCURRENTLY])
def test_rows_are_counted_without_track_counts(view: Deployment, environment: dict[str, str]) -> None:
    sql(f"ALTER ROLE {ROLE} SET track_counts = off")
    view.execute("DELETE FROM public.t WHERE n <= 10")
    assert written(refresh(view, **environment)) == ("concurrent" if environment else "plain", None, None)


def test_created_rows_are_counted_without_track_counts(deployment: Deployment) -> None:
    sql(f"ALTER ROLE {ROLE} SET track_counts = off")
    deployment.add_manifest("reporting.a", "SELECT generate_series(1, 1000) AS n")
    assert written(refresh(deployment)) == (None, None, None)


def test_rows_are_unknown_if_the_role_may_not_read_the_view(view: Deployment) -> None:
    if server_major_version() < 17:
        pytest.skip("a role without MAINTAIN needs to own the view")
    sql("CREATE ROLE owner_of_views")
    try:
        sql("GRANT SELECT ON public.t TO owner_of_views; GRANT ALL ON SCHEMA reporting TO owner_of_views")
        sql("ALTER MATERIALIZED VIEW reporting.a OWNER TO owner_of_views")
        sql(f"GRANT MAINTAIN ON reporting.a TO {ROLE}")
        [concurrent] = view.manage("refresh_all", "--json", **CONCURRENTLY).document["views"]
        assert (concurrent["outcome"], concurrent["mode"]) == ("refreshed", "concurrent")
        assert (concurrent["recordsProcessed"], RunHistory.objects.get().records_processed) == (None, None)
        lines = view.manage("refresh_all", **CONCURRENTLY).lines
        assert any("reporting.a: refreshed concurrently, " in line and "row" not in line for line in lines), lines
        assert refresh(view)["recordsProcessed"] == 1000
    finally:
        sql("DROP OWNED BY owner_of_views CASCADE; DROP ROLE owner_of_views")


def test_rows_of_a_view_in_another_database_are_all_rows(settings: Settings, deployment: Deployment) -> None:
    settings.SEEDER = {"DATABASES": {1: "archive"}}
    sql("CREATE SCHEMA reporting", using="archive")
    sql("CREATE TABLE reporting.t AS SELECT generate_series(1, 1000) AS n", using="archive")
    sql("CREATE MATERIALIZED VIEW reporting.a AS SELECT n FROM reporting.t", using="archive")
    sql("CREATE UNIQUE INDEX ON reporting.a (n)", using="archive")
    deployment.add_manifest("reporting.a", "SELECT n FROM reporting.t")
    sql("DELETE FROM reporting.t WHERE n <= 10", using="archive")
    [concurrent] = deployment.manage("refresh_all", "--json", **CONCURRENTLY).document["views"]
    assert (concurrent["recordsProcessed"], *written(concurrent)) == (990, "concurrent", 0, 10)
    [plain] = deployment.manage("refresh_all", "--json").document["views"]
    assert (plain["recordsProcessed"], *written(plain)) == (990, "plain", 990, 0)
