"""The queue on the monitoring page: requests, refreshes and cancels."""

from django.db import connection
from pytest_django import Settings

from seeder.domain.refresh_requests import AgencyReports, AllReports
from seeder.models import QueuedRefresh
from seeder.services.queue import enqueue, part_rows
from tests.conftest import another_session, sql
from tests.integration.admin.admin_clients import READER_PERMISSIONS, client_with, get_page


def test_refresh_and_capture_work_with_atomic_requests() -> None:
    client = client_with(*READER_PERMISSIONS, "refresh_views", "capture_releasesnapshot")
    selected = {"_selected_action": ["reporting.bad"]}
    connection.settings_dict["ATOMIC_REQUESTS"] = True
    try:
        client.post("/admin/seeder/monitoring/", {"refresh": "reporting.good"})
        client.post("/admin/seeder/monitoring/view/?table=reporting.shared", {"refresh": "reporting.shared"})
        client.post("/admin/seeder/jobstatus/", {"action": "refresh", **selected})
        client.post("/admin/seeder/jobstatus/", {"action": "capture", "release_tag": "1", **selected})
    finally:
        connection.settings_dict["ATOMIC_REQUESTS"] = False
    assert QueuedRefresh.objects.count() == 3


def test_worker_host_is_hidden_without_access_to_all_agencies(settings: Settings) -> None:
    settings.SEEDER = {"AGENCY_SCOPE": "tests.integration.admin.admin_clients.scope_by_name"}
    enqueue.enqueue_refresh(AgencyReports(slug="demo"), requested_by="a test")
    part_rows.claim(QueuedRefresh.objects.get(), run_id="gone", worker="inner-host:7")
    assert "inner-host:7" in get_page(client_with(*READER_PERMISSIONS), "monitoring/")
    page = get_page(client_with(*READER_PERMISSIONS, name="demo"), "monitoring/")
    assert "worker lost" in page
    assert "inner-host" not in page


def test_cancel_link_requires_a_confirmation() -> None:
    operator = client_with(*READER_PERMISSIONS, "refresh_views")
    request_id = enqueue.enqueue_refresh(AgencyReports(slug="demo"), requested_by="a test").request_id
    part = QueuedRefresh.objects.get()
    assert f'id="cancel-{part.pk}"' in get_page(operator, "monitoring/")
    part_rows.claim(part, run_id="gone", worker="host:7")
    url = f"/admin/seeder/monitoring/cancel/?request={request_id}&next=/admin/seeder/monitoring/%3Fpage%3D1"
    assert "Cancel the request for the agency" in operator.get(url).content.decode()
    assert not QueuedRefresh.objects.exclude(cancel_requested_at=None).exists()
    assert operator.post(url).headers["Location"] == "/admin/seeder/monitoring/?page=1"
    page = get_page(operator, "monitoring/")
    assert "stops within seconds" in page
    assert "cancelled by" in page
    assert f'id="cancel-{part.pk}"' not in page
    QueuedRefresh.objects.update(state="ended")
    operator.post(url)
    assert "has ended, so it cannot be cancelled" in get_page(operator, "monitoring/")
    operator.post("/admin/seeder/monitoring/", {"cancel": "\0"})
    assert "There is no request and no run" in get_page(operator, "monitoring/")


def test_refresh_link_requires_a_confirmation() -> None:
    operator = client_with(*READER_PERMISSIONS, "refresh_views")
    url = "/admin/seeder/monitoring/refresh/?table=reporting.good"
    assert f'href="{url}&amp;next=/admin/seeder/monitoring/' in get_page(operator, "monitoring/").replace("%2F", "/")
    assert "Refresh reporting.good?" in operator.get(url).content.decode()
    assert not QueuedRefresh.objects.exists()
    assert operator.post(f"{url}&next=https://elsewhere.example/").headers["Location"] == "/admin/seeder/monitoring/"
    assert QueuedRefresh.objects.get().requested_by == "user"
    assert operator.get(f"{url}.other").status_code == 404
    assert client_with(*READER_PERMISSIONS, name="reader").get(url).status_code == 403


def test_cancel_link_requires_the_permission_and_all_agencies(settings: Settings) -> None:
    settings.SEEDER = {"AGENCY_SCOPE": "tests.integration.admin.admin_clients.scope_by_name"}
    request_id = str(enqueue.enqueue_refresh(AllReports(), requested_by="a test").request_id)
    url = f"/admin/seeder/monitoring/cancel/?request={request_id}"
    reader = client_with(*READER_PERMISSIONS)
    assert 'id="cancel-' not in get_page(reader, "monitoring/")
    assert reader.post(url).status_code == 403
    demo = client_with(*READER_PERMISSIONS, "refresh_views", name="demo")
    demo.post(url)
    assert "agencies that you may not see" in get_page(demo, "monitoring/")
    assert {part.state for part in QueuedRefresh.objects.all()} == {"queued"}


def test_part_of_living_worker_is_not_marked_lost() -> None:
    enqueue.enqueue_refresh(AgencyReports(slug="demo"), requested_by="a test")
    part_rows.claim(QueuedRefresh.objects.get(), run_id="alive", worker="host:7")
    with another_session() as other:
        other.execute("SELECT pg_advisory_lock(hashtextextended('seeder.run alive', 0))")
        page = get_page(client_with(*READER_PERMISSIONS), "monitoring/")
    assert "host:7" in page
    assert "worker lost" not in page
    assert "<b>1 working</b>" in page


def test_part_of_split_request_shows_its_number() -> None:
    sql(
        "INSERT INTO reporting.seeder_queued_refresh"
        " (request_id, part, parts, description, requested_by, manifests, views, agencies, state, requested_at)"
        " VALUES ('r', 1, 2, 'all', 'a test', '[]', '[]', '[]', 'queued', now())"
    )
    assert "part 1 of 2" in get_page(client_with(*READER_PERMISSIONS), "monitoring/")


def test_queue_and_runs_require_their_permissions() -> None:
    enqueue.enqueue_refresh(AgencyReports(slug="demo"), requested_by="a test")
    page = get_page(client_with("view_jobstatus"), "monitoring/")
    assert "Queue" not in page
    assert "All runs" not in page
    assert "requested by" not in page
    assert "column-" not in page  # no link to a page without permission
    page = get_page(client_with(*READER_PERMISSIONS, name="reader"), "monitoring/")
    assert "queue-heading" in page
    assert "All runs" in page
    assert "column-" in page
