"""Reports, a run and a snapshot for the tests of the admin."""

from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User

from seeder.domain.refresh_requests import AllReports
from seeder.services.run import orchestrator
from seeder.services.snapshots import release_snapshots
from tests.conftest import BuildScene, create_canned_report, create_custom_manifest
from tests.integration.admin.admin_clients import fill


@pytest.fixture(autouse=True)
def reports(request: pytest.FixtureRequest, scene: BuildScene) -> Iterator[None]:
    scene(create_long_history if "history" in request.fixturenames else create_reports_and_run)
    User.objects.all().delete()
    yield
    User.objects.all().delete()


@pytest.fixture
def history() -> None:
    """Request a long history in addition to the reports."""


def create_reports_and_run() -> None:
    create_custom_manifest("reporting.good", "SELECT 1 AS n")
    create_custom_manifest("reporting.bad", "SELECT 'secret'::integer AS n", agency="metro")
    create_canned_report("reporting.shared", "SELECT 2 AS n", agencies=("demo", "metro"))
    orchestrator.execute_run(AllReports(), requested_by="a test")
    release_snapshots.capture_release_snapshot("reporting.good", "2026.11")


def create_long_history() -> None:
    create_reports_and_run()
    fill(100_000)
