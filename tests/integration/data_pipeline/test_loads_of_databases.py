"""Killed loads are rescued and recovered in every database that has the tables of loads."""

from collections.abc import Callable

import pytest
from django.db import connections
from pytest_django import Settings

from data_pipeline import tasks
from data_pipeline.models import LoadLog, LoadRefresh
from seeder.models import CustomReportManifest, QueuedRefresh
from seeder.services.queue import rescue
from tests.conftest import CompletedCommand, create_custom_manifest, sql

pytestmark = pytest.mark.usefixtures("load_tables", "empty_queue")
Manage = Callable[..., CompletedCommand]


def kill_after_commit(database: str) -> None:
    """Leave the request of a load whose process was killed after the commit."""
    statement = "INSERT INTO load_log (source, idempotency_key, status) VALUES ('test', repeat('0', 64), 'success')"
    sql(statement, using=database)
    sql(
        "INSERT INTO load_refresh (load_id, relations, created_at)"
        """ SELECT id, '[["landing", "orders"]]', now() - interval '1 minute' FROM load_log""",
        using=database,
    )


@pytest.fixture
def archive(load_tables: None, settings: Settings) -> None:
    """A view in the database `archive`, and a killed load of its table."""
    settings.SEEDER = {"DATABASES": {1: "default", 2: "archive"}}
    sql("CREATE SCHEMA landing; CREATE TABLE landing.orders (id integer); CREATE SCHEMA reporting", using="archive")
    sql("CREATE MATERIALIZED VIEW reporting.orders AS SELECT id FROM landing.orders", using="archive")
    create_custom_manifest("reporting.orders", "SELECT id FROM landing.orders")
    CustomReportManifest.objects.update(database_id=2)
    kill_after_commit("archive")


def test_rescue_queues_refreshes_of_another_database(archive: None) -> None:
    [(load_id,)] = sql("SELECT id FROM load_log", using="archive")
    assert list(rescue.rescue_all()) == [f"queued the refreshes after load {load_id}"]
    assert QueuedRefresh.objects.get().views == [["archive", "reporting.orders"]]
    assert LoadRefresh.objects.using("archive").get().dispatched_at is not None


def test_task_queues_refreshes_of_another_database(archive: None) -> None:
    [document] = tasks.resume_loads()["refreshes"]
    assert (document["outcome"], document["views"]) == ("queued", ["reporting.orders"])


def test_database_that_does_not_answer_keeps_no_other_from_its_rescue(
    archive: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    kill_after_commit("default")
    connections["archive"].close()
    monkeypatch.setitem(connections.settings["archive"], "NAME", "no_such_database")
    rescue_texts = list(rescue.rescue_all())
    assert LoadRefresh.objects.get().dispatched_at is not None
    assert rescue_texts == []  # no view in the default database depends on the table


def test_database_without_tables_of_loads_is_left_out(archive: None) -> None:
    sql("ALTER TABLE load_refresh RENAME TO gone", using="archive")
    try:
        assert tasks.resume_loads()["refreshes"] == []
    finally:
        sql("ALTER TABLE gone RENAME TO load_refresh", using="archive")


def test_stuck_loads_of_every_database_are_recovered(manage: Manage) -> None:
    insert = "INSERT INTO load_log (source, idempotency_key, status) VALUES ('test', %s, 'pending') RETURNING id"
    [(load_id,)], [(other_id,)] = sql(insert, "0" * 64), sql(insert, "1" * 64, using="archive")
    done = manage("recover_loads", "--json")
    assert done.document == {"recovered": [load_id], "otherDatabases": {"archive": [other_id]}}
    assert LoadLog.objects.using("archive").get().status == "failed"
    sql("UPDATE load_log SET status = 'pending'", using="archive")
    assert manage("recover_loads").lines == [
        f"load {other_id} of the database archive: marked as failed, because its process had ended"
    ]
