"""Editing manifests: access, versions, validation, and what is recorded."""

import json
import logging
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from pytest_django import Settings

from seeder.domain.manifest_edits import Agency, ReportDefinition
from seeder.errors import BadName, DatabaseUnmapped, SeederError
from seeder.manifest_errors import (
    AlreadySubscribed,
    BadManifest,
    EditingOff,
    ManifestChanged,
    QueryRefused,
    ReportShared,
    UnknownManifest,
    ViewTaken,
    WritingForbidden,
)
from seeder.models import CannedReport, CannedReportManifest, CustomReportManifest
from seeder.services import manifest_access, manifest_editing
from seeder.services.manifest_access import Editor, row_version
from tests.conftest import CHECKOUT, create_canned_report, create_custom_manifest, sql

pytestmark = pytest.mark.usefixtures("contract_tables")

DEMO, METRO = Agency(slug="demo", id=1), Agency(slug="metro", id=2)
QUERY = "SELECT 1 AS n"
DEFINITION = ReportDefinition(table_name="reporting.a", report_name="A", query=QUERY, database_id=1)


@pytest.fixture(autouse=True)
def editing(settings: Settings, contract_tables: None) -> Iterator[None]:
    settings.SEEDER = {"ALLOW_MANIFEST_EDITING": True}
    yield
    User.objects.all().delete()


def editor(*agencies: str) -> Editor:
    """Return an editor of these agencies, or of all."""
    user, _ = User.objects.get_or_create(username="ada")
    return Editor(user_id=user.pk, name="ada", agencies=list(agencies) or None)


def create(definition: ReportDefinition = DEFINITION, agency: Agency = DEMO, **options: Any) -> CustomReportManifest:
    options = {"enabled": True, "editor": editor(), **options}
    return manifest_editing.create_custom_manifest(definition, agency, **options)


def change(row: CustomReportManifest, by: Editor | None = None, **changes: Any) -> CustomReportManifest:
    return manifest_editing.change_custom_manifest(row.pk, changes, version=row_version(row), editor=by or editor())


def test_created_manifest_is_stored_and_recorded_without_its_query(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "seeder")
    row = create(replace(DEFINITION, query="SELECT 'hidden' AS word"))
    change(row, query="SELECT 'hidden too' AS word", enabled=False)
    stored = CustomReportManifest.objects.get()
    assert (stored.query, stored.enabled, stored.agency_slug) == ("SELECT 'hidden too' AS word", False, "demo")
    lines = [record.getMessage() for record in caplog.records if "manifest_edited" in record.getMessage()]
    assert [line for line in lines if "hidden" in line] == []
    assert ("action=changed" in lines[1], "user=ada" in lines[1], "query" in lines[1]) == (True, True, True)
    entries = LogEntry.objects.order_by("pk").values_list("user__username", "object_id", "change_message")
    assert [(user, pk, json.loads(message)) for user, pk, message in entries] == [
        ("ada", str(row.pk), [{"added": {}}]),
        ("ada", str(row.pk), [{"changed": {"fields": ["query", "enabled"]}}]),
    ]


@pytest.mark.parametrize(
    ("field", "value", "error"),
    [
        ("table_name", "a.b.c", BadName),
        ("table_name", 'reporting."', BadName),
        ("report_name", "", BadManifest),
        ("report_name", "two\nlines", BadManifest),
        ("query", "SELECT 1 AS n\0", BadManifest),
        ("query", f"SELECT 1 AS n -- {'x' * 10_000_000}", BadManifest),
        ("query", "SELECT 1 AS n; DROP TABLE reporting.seeder_run_history", QueryRefused),
        ("query", "SELECT missing", QueryRefused),
        ("database_id", 2**31, BadManifest),
    ],
)
def test_invalid_value_is_refused_and_nothing_is_stored(field: str, value: Any, error: type[SeederError]) -> None:
    row = create()
    with pytest.raises(error):
        create(replace(DEFINITION, **{field: value}))
    with pytest.raises(error):
        change(row, **{field: value})
    assert CustomReportManifest.objects.get().query == QUERY
    assert LogEntry.objects.count() == 1


def test_refused_query_says_where_it_is_wrong() -> None:
    with pytest.raises(QueryRefused, match='at line 2, column 3: column "missing" does not exist') as refused:
        create(replace(DEFINITION, query="SELECT\n  missing AS n"))
    assert refused.value.facts["sqlstate"] == "42703"


def test_unmapped_database_is_refused(settings: Settings) -> None:
    settings.SEEDER = {"ALLOW_MANIFEST_EDITING": True, "DATABASES": {7: "default"}}
    with pytest.raises(DatabaseUnmapped):
        create()


def test_change_of_an_outdated_version_is_refused() -> None:
    row = create()
    change(row, report_name="B")
    with pytest.raises(ManifestChanged):
        change(row, query="SELECT 2 AS n")
    assert CustomReportManifest.objects.get().query == QUERY


def test_equal_values_change_nothing() -> None:
    row = create()
    change(row, query=QUERY, enabled=True)
    assert LogEntry.objects.count() == 1


def test_manifest_of_another_agency_is_unknown() -> None:
    row = create(agency=METRO)
    with pytest.raises(UnknownManifest):
        change(row, editor("demo"), enabled=False)
    with pytest.raises(BadManifest, match="agency_slug"):
        create(agency=METRO, editor=editor("demo"))


def test_view_of_another_agency_cannot_be_claimed() -> None:
    create_custom_manifest("reporting.theirs", QUERY, agency="metro")
    create_canned_report("reporting.shared", QUERY, agencies=("demo", "metro"))
    sql("CREATE MATERIALIZED VIEW reporting.unlisted AS SELECT 1 AS n")
    mine = create(editor=editor("demo"))
    for name in ("Reporting.Theirs", "theirs", "reporting.shared", "reporting.unlisted"):
        with pytest.raises(ViewTaken):
            create(replace(DEFINITION, table_name=name), editor=editor("demo"))
        with pytest.raises(ViewTaken):
            change(mine, editor("demo"), table_name=name)
    create(replace(DEFINITION, table_name="reporting.theirs"))  # a user of all agencies can share it


def test_agency_id_must_be_the_one_of_its_manifests() -> None:
    create_custom_manifest("reporting.b", QUERY, agency="metro")
    assert manifest_access.require_agency("metro", None, editor()) == METRO
    for slug, agency_id in (("metro", 3), ("new", None), (" ", 1), ("new", -1)):
        with pytest.raises(BadManifest):
            manifest_access.require_agency(slug, agency_id, editor())


def test_canned_report_is_changed_only_by_a_user_of_all_subscribers() -> None:
    create_canned_report("reporting.shared", QUERY, agencies=("demo", "metro"))
    report = CannedReport.objects.get()
    changes, version = {"query": "SELECT 2 AS n"}, row_version(report)
    with pytest.raises(ReportShared):
        manifest_editing.change_canned_report(report.pk, changes, version=version, editor=editor("demo"))
    with pytest.raises(UnknownManifest):
        manifest_editing.change_canned_report(report.pk, changes, version=version, editor=editor("harbor"))
    for name in (("demo", "metro"), ()):
        changed = manifest_editing.change_canned_report(
            report.pk, changes, version=row_version(CannedReport.objects.get()), editor=editor(*name)
        )
        assert changed.query == "SELECT 2 AS n"


def test_agency_subscribes_once_and_unsubscribes() -> None:
    report = manifest_editing.create_canned_report(DEFINITION, editor=editor())
    row = manifest_editing.subscribe(report.pk, DEMO, editor=editor())
    with pytest.raises(AlreadySubscribed):
        manifest_editing.subscribe(report.pk, DEMO, editor=editor())
    with pytest.raises(UnknownManifest):
        manifest_editing.unsubscribe(row.pk, editor=editor("metro"))
    manifest_editing.unsubscribe(row.pk, editor=editor("demo"))
    assert not CannedReportManifest.objects.exists()
    assert json.loads(LogEntry.objects.latest("pk").change_message) == [{"deleted": {}}]


def test_nothing_is_changed_while_editing_is_off(settings: Settings) -> None:
    row = create()
    settings.SEEDER = {}
    with pytest.raises(EditingOff):
        create()
    with pytest.raises(EditingOff):
        change(row, enabled=False)
    assert "SEEDER_ALLOW_MANIFEST_EDITING" in (manifest_access.why_read_only(CustomReportManifest) or "")


def test_role_that_may_not_write_gets_the_grant() -> None:
    sql("CREATE ROLE web_of_manifests")
    try:
        sql("GRANT USAGE ON SCHEMA reporting TO web_of_manifests")
        sql("GRANT SELECT ON ALL TABLES IN SCHEMA reporting TO web_of_manifests")
        sql("SET ROLE web_of_manifests")
        with pytest.raises(WritingForbidden, match="GRANT INSERT, UPDATE ON reporting.seeder_canned_report TO web"):
            manifest_access.require_editing(CannedReport)
    finally:
        sql("RESET ROLE")
        sql("DROP OWNED BY web_of_manifests; DROP ROLE web_of_manifests")


def test_grants_of_the_guide_suffice_for_every_change() -> None:
    guide = (CHECKOUT / "docs/how-to/edit-manifests.md").read_text(encoding="utf-8")
    grants = guide.partition("```sql\n")[2].partition("```")[0].replace("seeder_web", "editor_of_manifests")
    sql("CREATE ROLE editor_of_manifests")
    by = editor()
    try:
        sql("GRANT USAGE ON SCHEMA reporting, public TO editor_of_manifests")
        sql("GRANT SELECT ON ALL TABLES IN SCHEMA reporting, public TO editor_of_manifests")
        sql("GRANT INSERT ON public.django_admin_log TO editor_of_manifests")
        sql(grants)
        sql("SET ROLE editor_of_manifests")
        assert not change(create(editor=by), by, enabled=False).enabled
        report = manifest_editing.create_canned_report(replace(DEFINITION, table_name="reporting.b"), editor=by)
        version, changes = row_version(report), {"query": "SELECT 2 AS n"}
        manifest_editing.change_canned_report(report.pk, changes, version=version, editor=by)
        manifest_editing.unsubscribe(manifest_editing.subscribe(report.pk, DEMO, editor=by).pk, editor=by)
    finally:
        sql("RESET ROLE")
        sql("DROP OWNED BY editor_of_manifests; DROP ROLE editor_of_manifests")
