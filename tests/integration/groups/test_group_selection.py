"""Which views a run adds for a group, and which manifests it reads for that."""

import pytest
from pytest_django import Settings

from seeder import conf
from seeder.domain.manifests import Manifest
from seeder.domain.refresh_requests import AgencyReports, RefreshRequest, SingleView
from seeder.domain.view_names import ViewName
from seeder.models import CustomReportManifest
from seeder.services import manifest_selection
from seeder.services.groups.group_selection import complete_groups
from tests.conftest import create_canned_report, create_custom_manifest
from tests.integration.groups.grouped_views import GROUP, create_grouped_views

pytestmark = pytest.mark.usefixtures("contract_tables")


@pytest.fixture(autouse=True)
def _group(settings: Settings, contract_tables: None) -> None:
    settings.SEEDER = {"CONSISTENT_GROUPS": {"month": GROUP}}
    create_grouped_views()


def selected(request: RefreshRequest) -> list[str]:
    settings = conf.load()
    selection, _ = complete_groups(manifest_selection.select(request, databases=settings.databases), settings)
    return sorted(spec.key.name.name for spec in selection.views)


def test_selection_reads_only_manifests_of_the_view_and_its_group(monkeypatch: pytest.MonkeyPatch) -> None:
    read, parse = list[str](), manifest_selection.custom_manifest

    def parse_and_note(row: CustomReportManifest) -> Manifest:
        read.append(row.table_name)
        return parse(row)

    monkeypatch.setattr(manifest_selection, "custom_manifest", parse_and_note)
    create_custom_manifest("reporting.other", "SELECT 1 AS n")
    assert selected(SingleView(name=ViewName.parse("reporting.outside"))) == ["outside"]
    assert read == ["reporting.outside"]
    read.clear()
    assert selected(SingleView(name=ViewName.parse("reporting.b"))) == ["a", "b", "c"]
    assert sorted(read) == ["reporting.a", "reporting.b", "reporting.c"]


@pytest.mark.parametrize("spelling", ["C", ' "reporting" . C\n', '"c"', "Reporting.c"])
def test_member_is_found_in_any_spelling(spelling: str) -> None:
    CustomReportManifest.objects.filter(table_name="reporting.c").update(table_name=spelling)
    assert selected(SingleView(name=ViewName.parse("reporting.a"))) == ["a", "b", "c"]
    CustomReportManifest.objects.filter(table_name=spelling).update(table_name='"C"')
    assert selected(SingleView(name=ViewName.parse("reporting.outside"))) == ["outside"]


def test_view_that_another_agency_shares_is_of_the_group_of_both(settings: Settings) -> None:
    settings.SEEDER = {"CONSISTENT_GROUPS": {"metro": {"agencies": ["metro"]}}}
    create_canned_report("reporting.shared", "SELECT 1 AS n", agencies=("demo", "metro"))
    create_custom_manifest("reporting.of_metro", "SELECT 1 AS n", agency="metro")
    assert "of_metro" in selected(AgencyReports(slug="demo"))


def test_view_between_members_without_enabled_manifest_is_reported() -> None:
    CustomReportManifest.objects.filter(table_name="reporting.b").update(enabled=False)
    settings = conf.load()
    selection = manifest_selection.select(SingleView(name=ViewName.parse("reporting.a")), databases=settings.databases)
    [group] = complete_groups(selection, settings)[1]
    assert list(map(str, group.unlisted)) == ["reporting.b"]
