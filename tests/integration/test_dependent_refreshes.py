"""A change of tables enqueues or refreshes exactly the views that depend on them."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from seeder.domain.refresh_requests import AllReports
from seeder.domain.view_names import ViewName
from seeder.models import QueuedRefresh, Run
from seeder.services.queue.dependent_refreshes import (
    DependentRefreshes,
    RefreshedViews,
    enqueue_dependent_refreshes,
    find_dependent_views,
    refresh_dependent_views,
)
from seeder.services.run.orchestrator import execute_run
from seeder.services.stop_signal import StopSignal
from tests.conftest import create_canned_report, create_custom_manifest, sql

pytestmark = pytest.mark.usefixtures("empty_queue")


def enqueue(*tables: str, key: str | None = None) -> DependentRefreshes:
    relations = [ViewName.parse(table) for table in tables]
    return enqueue_dependent_refreshes(relations, requested_by="a loader", idempotency_key=key)


def dependents(*tables: str) -> set[str]:
    return {view.name.name for view in enqueue(*tables).views}


@pytest.fixture
def tables(empty_queue: None) -> None:
    sql("CREATE TABLE reporting.one AS SELECT 1 AS n; CREATE TABLE reporting.two AS SELECT 2 AS n")


def create_views(**queries: str) -> None:
    for name, query in queries.items():
        create_custom_manifest(f"reporting.{name}", query)
    execute_run(AllReports())


def test_view_of_a_changed_table_is_queued_and_no_other(tables: None) -> None:
    create_views(a="SELECT n FROM reporting.one", b="SELECT n FROM reporting.two", c="SELECT n FROM reporting.a")
    result = enqueue("reporting.one")
    assert {view.name.name for view in result.views} == {"a", "c"}
    [row] = QueuedRefresh.objects.all()
    assert {name for _, name in row.views} == {"reporting.a", "reporting.c"}
    assert (row.requested_by, row.description) == ("a loader", "the views that depend on reporting.one")


def test_path_leads_through_plain_views_functions_and_operators(tables: None) -> None:
    sql("CREATE VIEW reporting.plain AS SELECT n FROM reporting.one")
    sql(
        "CREATE FUNCTION reporting.total(integer) RETURNS bigint STABLE"
        " BEGIN ATOMIC SELECT sum(n) + $1 FROM reporting.one; END"
    )
    sql("CREATE OPERATOR reporting.@@+ (FUNCTION = reporting.total, RIGHTARG = integer)")
    create_views(
        through_view="SELECT n FROM reporting.plain",
        through_function="SELECT reporting.total(n) AS n FROM reporting.two",
        through_operator="SELECT OPERATOR(reporting.@@+) n AS n FROM reporting.two",
        other="SELECT n FROM reporting.two",
    )
    assert dependents("reporting.one") == {"through_view", "through_function", "through_operator"}


def test_path_leads_through_domains_composite_types_and_indexes(tables: None) -> None:
    sql(
        "CREATE FUNCTION reporting.total(integer) RETURNS bigint IMMUTABLE"
        " BEGIN ATOMIC SELECT sum(n) + $1 FROM reporting.one; END"
    )
    sql("CREATE DOMAIN reporting.small AS integer CHECK (reporting.total(VALUE) > 0)")
    sql("CREATE TYPE reporting.pair AS (n reporting.small)")
    create_views(
        of_domain="SELECT n::reporting.small AS n FROM reporting.two",
        of_type="SELECT (json_populate_record(NULL::reporting.pair, '{}')).n AS n",
        indexed="SELECT n FROM reporting.two",
        other="SELECT n FROM reporting.two",
    )
    sql("CREATE INDEX ON reporting.indexed (reporting.total(n))")
    assert dependents("reporting.one") == {"of_domain", "of_type", "indexed"}


def test_row_security_policy_that_reads_a_table_is_a_dependency(tables: None) -> None:
    sql("CREATE POLICY p ON reporting.two USING (n IN (SELECT n FROM reporting.one))")
    create_views(a="SELECT n FROM reporting.two")
    assert dependents("reporting.one") == {"a"}


def test_change_of_a_partition_is_one_of_its_parents_and_of_no_sibling(tables: None) -> None:
    sql("CREATE TABLE reporting.whole (n integer) PARTITION BY LIST (n)")
    for number in (1, 2):
        sql(f"CREATE TABLE reporting.part_{number} PARTITION OF reporting.whole FOR VALUES IN ({number})")
    create_views(
        of_parent="SELECT n FROM reporting.whole",
        of_first="SELECT n FROM reporting.part_1",
        of_second="SELECT n FROM reporting.part_2",
    )
    assert dependents("reporting.part_1") == {"of_parent", "of_first"}
    assert dependents("reporting.whole") == {"of_parent", "of_first", "of_second"}


def test_materialized_view_without_manifest_ends_the_path(tables: None) -> None:
    sql("CREATE MATERIALIZED VIEW reporting.unlisted AS SELECT n FROM reporting.one")
    create_views(a="SELECT n FROM reporting.unlisted")
    assert dependents("reporting.one") == set()


def test_view_that_calls_a_text_function_is_undetermined(tables: None) -> None:
    sql("CREATE FUNCTION reporting.opaque() RETURNS bigint STABLE LANGUAGE sql AS 'SELECT sum(n) FROM reporting.one'")
    create_views(a="SELECT reporting.opaque() AS n", b="SELECT n, reporting.opaque() AS m FROM reporting.one")
    result = enqueue("reporting.one")
    assert [view.name.name for view in result.views] == ["b"]
    assert [view.name.name for view in result.undetermined] == ["a"]


def test_repeated_key_returns_the_first_answer(tables: None) -> None:
    create_views(a="SELECT n FROM reporting.one")
    first, again = enqueue("reporting.one", key="load 1"), enqueue("reporting.one", key="load 1")
    assert (again.queued.request_id, again.queued.repeated) == (first.queued.request_id, True)
    assert QueuedRefresh.objects.count() == 1


def test_second_change_joins_a_request_that_has_not_started(tables: None) -> None:
    create_views(a="SELECT n FROM reporting.one")
    first, second = enqueue("reporting.one", key="load 1"), enqueue("reporting.one", key="load 2")
    assert (second.queued.request_id, second.queued.joined) == (first.queued.request_id, True)
    [row] = QueuedRefresh.objects.all()
    assert row.joined_at is not None


def test_every_subscription_of_a_shared_view_is_in_the_request(tables: None) -> None:
    create_canned_report("reporting.shared", "SELECT n FROM reporting.one", agencies=("demo", "metro"))
    execute_run(AllReports())
    enqueue("reporting.one")
    [row] = QueuedRefresh.objects.all()
    assert (len(row.manifests), row.agencies) == (2, ["demo", "metro"])


def test_names_are_read_once_and_then_the_dependent_manifests(tables: None) -> None:
    create_views(a="SELECT n FROM reporting.one", b="SELECT n FROM reporting.two", c="SELECT n FROM reporting.a")
    with CaptureQueriesContext(connection) as queries:
        assert enqueue("reporting.one").queued.request_id
    _, second = [query["sql"] for query in queries if "seeder_custom_report_manifest" in query["sql"]]
    assert "IN ('reporting.a', 'reporting.c')" in second or "IN ('reporting.c', 'reporting.a')" in second


def test_every_spelling_of_a_dependent_view_is_in_the_request(tables: None) -> None:
    create_views(a="SELECT n FROM reporting.one")
    create_custom_manifest('"reporting" . A', "-- depends_on: two\nSELECT n FROM reporting.one")
    assert [len(spec.manifests) for spec in find_dependent_views([ViewName.parse("one")]).specs] == [2]
    assert dependents("reporting.two") == {"a"}


def test_view_reads_the_changed_tables_and_views_that_affect_it(tables: None) -> None:
    create_views(
        a="SELECT n FROM reporting.one",
        b="SELECT o.n FROM reporting.one AS o, reporting.a, reporting.two",
        c="-- depends_on: b\nSELECT n FROM reporting.two",
    )
    names = {name: ViewName.parse(name) for name in ("one", "a", "b", "c")}
    assert find_dependent_views([names["one"]]).reads == {
        names["a"]: {names["one"]},
        names["b"]: {names["one"], names["a"]},
        names["c"]: {names["b"]},
    }


def test_change_that_no_view_reads_queues_nothing(tables: None) -> None:
    create_views(a="SELECT n FROM reporting.two")
    result = enqueue("reporting.one", "reporting.nowhere")
    assert (result.queued.request_id, result.views) == (None, ())
    assert result.missing_relations == (ViewName.parse("reporting.nowhere"),)
    assert not QueuedRefresh.objects.exists()


def test_declared_dependency_of_a_text_function_is_queued(tables: None) -> None:
    sql("CREATE FUNCTION reporting.opaque() RETURNS bigint LANGUAGE sql AS 'SELECT sum(n) FROM reporting.one'")
    create_views(
        a="-- depends_on: one\nSELECT reporting.opaque() AS n",
        b="SELECT reporting.opaque() AS n -- depends_on: one",
        c="-- depends_on:\nSELECT reporting.opaque() AS n",
    )
    result = enqueue("reporting.one")
    assert {view.name.name for view in result.views} == {"a"}
    assert {view.name.name for view in result.undetermined} == {"b"}


def refresh(*tables: str, stop: StopSignal | None = None) -> RefreshedViews:
    return refresh_dependent_views([ViewName.parse(table) for table in tables], requested_by="a loader", stop=stop)


def test_refresh_here_covers_the_dependent_views_and_no_other(tables: None) -> None:
    create_views(a="SELECT n FROM reporting.one", b="SELECT n FROM reporting.two", c="SELECT n FROM reporting.a")
    sql("INSERT INTO reporting.one VALUES (3); INSERT INTO reporting.two VALUES (4)")
    result = refresh("reporting.one")
    assert ({view.name.name for view in result.views}, result.failures) == ({"a", "c"}, {})
    counts = "SELECT (SELECT count(*) FROM reporting.a), (SELECT count(*) FROM reporting.b)"
    assert sql(counts) == [(2, 1)]
    assert Run.objects.order_by("-started_at")[0].requested_by == "a loader"


def test_refresh_here_returns_the_message_of_a_failed_view(tables: None) -> None:
    create_views(a="SELECT 1 / (n - 3) AS n FROM reporting.one")
    sql("INSERT INTO reporting.one VALUES (3)")
    assert {view.name.name: message for view, message in refresh("reporting.one").failures.items()} == {
        "a": "division by zero"
    }


def test_refresh_here_without_dependents_makes_no_run(tables: None) -> None:
    assert refresh("reporting.one").views == ()
    assert not Run.objects.exists()


def test_stopped_refresh_here_returns_the_interrupted_views(tables: None) -> None:
    create_views(a="SELECT n FROM reporting.one")
    stop = StopSignal()
    stop.request("SIGTERM")
    assert [view.name.name for view in refresh("reporting.one", stop=stop).interrupted] == ["a"]
