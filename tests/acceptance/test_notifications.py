"""Notifications that a cluster of the queue sends."""

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from seeder.models import Notification
from seeder.services.queue.dispatch import dispatch
from tests import scripted_http
from tests.acceptance import queue_clusters
from tests.acceptance.queue_clusters import kill, start, wait_until
from tests.conftest import sql
from tests.integration.notifications.channels import create_views, ids, refresh, require_signature, webhook

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("empty_queue")]


@pytest.fixture(autouse=True)
def _no_cluster_remains() -> Iterator[None]:
    yield
    queue_clusters.kill_all()


def test_killed_worker_loses_no_notification_and_keeps_the_order(settings: Settings) -> None:
    with scripted_http.serve(scripted_http.silence, scripted_http.answer(204)) as server:
        settings.SEEDER = {**webhook(server.url), "NIGHTLY_CRON": ""}
        create_views("a")
        for failing in ("a", "", "a"):
            refresh(failing)
        dispatch("seeder.tasks.send_notifications")  # a schedule would wait for the half minute of its cluster
        cluster = start(DJANGO_SETTINGS_MODULE="tests.hosts.notifying", PAGER_URL=server.url)
        wait_until(lambda: server.requests)
        kill(cluster)
        assert set(Notification.objects.values_list("state", flat=True)) == {"pending"}
        sql("UPDATE reporting.seeder_notification SET due_at = now()")  # as after the lease
        dispatch("seeder.tasks.send_notifications")
        start(DJANGO_SETTINGS_MODULE="tests.hosts.notifying", PAGER_URL=server.url)
        wait_until(lambda: not Notification.objects.exclude(state="sent").exists())
    assert ids(server.requests) == ["msg_1", "msg_1", "msg_2", "msg_3"]
    for request in server.requests:
        require_signature(request)
