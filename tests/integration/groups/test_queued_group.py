"""Requests to the queue for members of a consistent group."""

import pytest
from pytest_django import Settings

from seeder.domain.refresh_requests import AgencyReports, AllReports, SingleView
from seeder.domain.view_names import ViewName
from seeder.models import CustomReportManifest
from seeder.services.queue.enqueue import enqueue_refresh
from tests.integration.groups.grouped_views import GROUP, create_grouped_views, create_view

pytestmark = pytest.mark.usefixtures("empty_queue")


@pytest.fixture(autouse=True)
def _group(settings: Settings, empty_queue: None) -> None:
    settings.SEEDER = {"CONSISTENT_GROUPS": {"month": GROUP}, "QUEUE_PARTS": 4}
    create_grouped_views()
    CustomReportManifest.objects.filter(table_name="reporting.c").update(agency_slug="metro", query="SELECT 1 AS id")


def test_request_for_a_member_queues_its_group_and_joins_it() -> None:
    first = enqueue_refresh(AgencyReports(slug="metro"), requested_by="ada")
    [part] = first.parts
    assert len(part.manifests) == 3
    second = enqueue_refresh(SingleView(name=ViewName.parse("reporting.a")), requested_by="bob")
    assert (second.joined, second.request_id) == (True, first.request_id)


def test_group_stays_in_one_part_of_a_request_for_everything(settings: Settings) -> None:
    settings.SEEDER = {"CONSISTENT_GROUPS": {"pair": {"views": ["reporting.x", "reporting.y"]}}, "QUEUE_PARTS": 4}
    for name in "xy":
        create_view(name, "SELECT 1 AS id")
    parts = enqueue_refresh(AllReports(), requested_by="ada").parts
    assert sorted(len(part.manifests) for part in parts) == [2, 4]
