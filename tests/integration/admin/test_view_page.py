"""The page of one view: its query, its structure, and what it hides."""

import re

import pytest
from django.db import connections
from pytest_django import Settings

from seeder.domain.refresh_requests import AllReports
from seeder.models import CustomReportManifest, JobStatus, QueuedRefresh
from seeder.services.run import orchestrator
from tests.conftest import another_session, create_custom_manifest, sql
from tests.integration.admin.admin_clients import READER_PERMISSIONS, client_with, get_page

PAGE = "monitoring/view/"
AUTHOR_PERMISSIONS = (*READER_PERMISSIONS, "view_manifests")


def test_equal_query_is_confirmed_and_changed_one_is_compared() -> None:
    author = client_with(*AUTHOR_PERMISSIONS)
    page = get_page(author, PAGE, table="reporting.good")
    assert "The view has the query of custom manifest" in page
    assert "<del>" not in page
    CustomReportManifest.objects.filter(table_name="reporting.good").update(query="SELECT 3 AS n")
    page = get_page(author, PAGE, table="reporting.good")
    assert "The view has another query than custom manifest" in page
    assert "<del>\N{MINUS SIGN}  SELECT 1 AS n;\n</del><ins>+  SELECT 3 AS n;\n</ins>" in page


def test_other_spelling_of_the_same_query_is_no_difference() -> None:
    CustomReportManifest.objects.filter(table_name="reporting.good").update(query="select /* one */\n  1 n -- all")
    assert "The view has the query of" in get_page(client_with(*AUTHOR_PERMISSIONS), PAGE, table="reporting.good")


def test_query_needs_its_permission_and_messages_theirs() -> None:
    CustomReportManifest.objects.filter(table_name="reporting.good").update(query="SELECT 'secret'::integer AS n")
    page = get_page(client_with(*READER_PERMISSIONS), PAGE, table="reporting.good")
    assert "The query requires the permission seeder.view_manifests." in page
    assert "SELECT" not in page
    page = get_page(client_with(*AUTHOR_PERMISSIONS, name="author"), PAGE, table="reporting.good")
    assert "PostgreSQL refuses the query of custom manifest" in page
    assert "secret" not in page
    author = client_with(*AUTHOR_PERMISSIONS, "view_errors", name="full_author")
    assert "secret" in get_page(author, PAGE, table="reporting.good")


def test_query_of_another_agency_is_hidden(settings: Settings) -> None:
    settings.SEEDER = {"AGENCY_SCOPE": "tests.integration.admin.admin_clients.scope_by_name"}
    create_custom_manifest("reporting.good", "SELECT 1 AS n", agency="metro")
    demo = client_with(*AUTHOR_PERMISSIONS, name="demo")
    assert "SELECT 1 AS n" in get_page(demo, PAGE, table="reporting.good")
    CustomReportManifest.objects.filter(agency_slug="demo", table_name="reporting.good").update(query="SELECT 3 AS n")
    page = get_page(demo, PAGE, table="reporting.good")
    assert "The view has another query than custom manifest" in page
    assert "it can be that of another agency" in page
    assert "SELECT" not in page
    CustomReportManifest.objects.filter(agency_slug="metro", table_name="reporting.good").delete()
    assert "<del>\N{MINUS SIGN}  SELECT 1 AS n;" in get_page(demo, PAGE, table="reporting.good")


def test_missing_view_shows_the_query_that_will_create_it() -> None:
    page = get_page(client_with(*AUTHOR_PERMISSIONS), PAGE, table="reporting.bad")
    assert "The view does not exist yet. The next refresh creates it." in page
    assert "The next refresh creates the view from this query" in page
    assert "structure-heading" not in page


def test_indexes_say_what_they_can_be_used_for() -> None:
    sql("CREATE UNIQUE INDEX good_key ON reporting.good (n)")
    sql("CREATE UNIQUE INDEX good_partial ON reporting.good (n) WHERE n > 0")
    sql("CREATE UNIQUE INDEX good_broken ON reporting.good (n)")
    sql("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'reporting.good_broken'::regclass")
    sql("COMMENT ON COLUMN reporting.good.n IS 'number of cases'")
    page = get_page(client_with(*READER_PERMISSIONS), PAGE, table="reporting.good")
    assert "number of cases" in page
    uses = [page.index(f">{name}</span>") for name in ("good_key", "good_broken", "good_partial")]
    assert page.index("usable for a concurrent refresh", uses[0]) < uses[1]
    assert page.index("invalid</span>", uses[1]) < uses[2]
    assert page.index("not usable for a concurrent refresh", uses[2])


def test_locked_view_is_shown_without_waiting() -> None:
    with another_session() as other:
        other.execute("BEGIN; REFRESH MATERIALIZED VIEW reporting.good")
        page = get_page(client_with(*AUTHOR_PERMISSIONS), PAGE, table="reporting.good")
        assert "Another session has locked the view" in page
        assert '<span class="name">integer</span>' in page
        other.execute("ROLLBACK")


@pytest.mark.parametrize("kind", ["TABLE", "VIEW"])
def test_other_relation_of_the_name_is_described(kind: str) -> None:
    sql("DROP MATERIALIZED VIEW reporting.good")
    sql("CREATE TABLE reporting.good (n integer)" if kind == "TABLE" else "CREATE VIEW reporting.good AS SELECT 1 AS n")
    assert "is not a materialized view" in get_page(client_with(*AUTHOR_PERMISSIONS), PAGE, table="reporting.good")
    sql(f"DROP {kind} reporting.good")


def test_database_that_does_not_answer_is_named(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.SEEDER = {"DATABASES": {1: "default", 2: "archive"}}
    connections["archive"].close()
    monkeypatch.setitem(connections.settings["archive"], "NAME", "no_such_database")
    CustomReportManifest.objects.filter(table_name="reporting.good").update(database_id=2)
    page = get_page(client_with(*AUTHOR_PERMISSIONS), PAGE, table="reporting.good")
    assert "The database archive does not answer." in page
    assert "no_such_database" not in page
    author = client_with(*AUTHOR_PERMISSIONS, "view_errors", name="full_author")
    assert "no_such_database" in get_page(author, PAGE, table="reporting.good")
    CustomReportManifest.objects.filter(table_name="reporting.good").update(database_id=3)
    assert "The manifest&#x27;s database_id 3 is not in" in get_page(author, PAGE, table="reporting.good")


def boxes(page: str) -> list[str]:
    """Return the titles of the boxes of the lineage, from left to right."""
    return re.findall(r"<title>([^:<]+)[^<]*</title><rect", page)


def test_lineage_leads_from_tables_to_readers_of_readers() -> None:
    sql("CREATE TABLE reporting.source (n integer)")
    for name, query in (("a", "source"), ("b", "a"), ("c", "b"), ("d", "b")):
        create_custom_manifest(f"reporting.{name}", f"SELECT n FROM reporting.{query}")
    orchestrator.execute_run(AllReports())
    reader = client_with(*READER_PERMISSIONS)
    page = get_page(reader, PAGE, table="reporting.b")
    assert boxes(page) == [f"reporting.{name}" for name in ("source", "a", "b", "c", "d")]
    links = [f'<a href="/admin/seeder/monitoring/view/?table=reporting.{name}"><g' in page for name in "abcd"]
    assert links == [True, False, True, True]
    assert page.count('class="line"') == 4
    JobStatus.objects.filter(table_name="reporting.d").update(status="error", consecutive_failures=1)
    assert re.search(r"<title>reporting.d: failed, data of", get_page(reader, PAGE, table="reporting.b"))
    sql("DROP TABLE reporting.source CASCADE")


def test_lineage_counts_what_has_no_room() -> None:
    for number in range(11):
        create_custom_manifest(f"reporting.z{number}", "SELECT n FROM reporting.good")
    orchestrator.execute_run(AllReports())
    page = get_page(client_with(*READER_PERMISSIONS), PAGE, table="reporting.good")
    assert len(boxes(page)) == 9
    assert "and 3 more" in page


def test_lineage_hides_views_of_other_agencies(settings: Settings) -> None:
    settings.SEEDER = {"AGENCY_SCOPE": "tests.integration.admin.admin_clients.scope_by_name"}
    sql("CREATE TABLE reporting.source (n integer)")
    create_custom_manifest("reporting.a", "SELECT n FROM reporting.source", agency="metro")
    create_custom_manifest("reporting.b", "SELECT n FROM reporting.a")
    create_custom_manifest("reporting.c", "SELECT n FROM reporting.b", agency="metro")
    orchestrator.execute_run(AllReports())
    page = get_page(client_with(*AUTHOR_PERMISSIONS, name="demo"), PAGE, table="reporting.b")
    assert boxes(page) == ["reporting.b"]
    assert "2 views of other agencies." in page
    assert "reporting.c" not in page
    assert "reporting.source" not in page
    sql("DROP TABLE reporting.source CASCADE")


def test_forced_refresh_is_queued_as_forced() -> None:
    operator = client_with(*READER_PERMISSIONS, "refresh_views")
    operator.post("/admin/seeder/monitoring/view/?table=reporting.good", {"refresh": "reporting.good", "force": "yes"})
    assert QueuedRefresh.objects.get().is_forced
    assert "It is refreshed even if nothing has changed." in get_page(operator, PAGE, table="reporting.good")
    operator.post("/admin/seeder/monitoring/view/?table=reporting.shared", {"refresh": "reporting.shared"})
    assert not QueuedRefresh.objects.latest("id").is_forced
    reader = client_with(*READER_PERMISSIONS, name="reader")
    forced = {"refresh": "reporting.good", "force": "yes"}
    assert reader.post("/admin/seeder/monitoring/view/?table=reporting.good", forced).status_code == 403
