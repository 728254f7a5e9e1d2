"""Notifications of sources whose loads fail and work again."""

from contextlib import suppress
from typing import Any

import pytest
from django.db import DEFAULT_DB_ALIAS
from pytest_django import Settings

from data_pipeline import compute_idempotency_key, process_once
from seeder import conf
from seeder.domain.notifications.events import Event
from seeder.domain.notifications.texts import Notification as Text
from seeder.domain.notifications.texts import subject_of
from seeder.models import Mute, Notification
from seeder.postgres.contract import OptionalTables
from seeder.services.notifications import state_changes
from seeder.signals import load_failed, load_recovered
from tests.conftest import sql
from tests.integration.notifications.channels import webhook

pytestmark = pytest.mark.usefixtures("contract_tables", "load_tables")


@pytest.fixture(autouse=True)
def _channel(settings: Settings) -> None:
    settings.SEEDER = webhook("https://pager.example.org/in")


def load(name: str, *, source: str = "arrests", fail: bool = False) -> None:
    key = compute_idempotency_key(payload=name.encode())
    with suppress(KeyError), process_once(source=source, payload_meta={}, idempotency_key=key):
        if fail:
            raise KeyError("a secret value")


def notify() -> list[tuple[str, str]]:
    """Return everything that was notified until now."""
    for _ in range(2):
        state_changes.notify_changes(conf.load(), OptionalTables.read(DEFAULT_DB_ALIAS))
    rows = Notification.objects.order_by("id").values_list("event", "facts")
    return [(event, facts["source"]) for event, facts in rows]


def test_each_change_of_a_source_is_notified_once_without_the_message() -> None:
    load("a")
    assert notify() == []
    load("b", fail=True)
    load("c", source="shop")
    failed = [("load_failed", "arrests")]
    assert notify() == failed
    load("b", fail=True)
    load("a")  # a duplicate
    assert notify() == failed
    load("d")
    assert notify() == [*failed, ("load_recovered", "arrests")]
    load("e", fail=True)
    assert notify() == [*failed, ("load_recovered", "arrests"), *failed]
    first = Notification.objects.order_by("id")[0]
    assert first.facts | {"since": None} == {
        "source": "arrests",
        "database": "default",
        "agencies": [],
        "load_id": 2,
        "attempt": 1,
        "reason": "KeyError",
        "previous": "ok",
        "since": None,
    }
    assert subject_of([Text(event=Event(first.event), facts=first.facts, at=first.created_at)]) == (
        "Source arrests failed: KeyError"
    )


def test_source_that_fails_and_works_before_it_is_observed_is_not_notified() -> None:
    load("a", fail=True)
    load("a")
    assert notify() == []


def test_dismissed_and_undone_failures_need_no_attention() -> None:
    load("a", fail=True)
    load("b", source="shop", fail=True)
    sql("UPDATE load_log SET dismissed_at = now() WHERE source = 'shop'")
    assert notify() == [("load_failed", "arrests")]
    sql("UPDATE load_log SET error_code = 'undone'")
    assert notify() == [("load_failed", "arrests"), ("load_recovered", "arrests")]


def test_failure_of_long_ago_stays_notified_until_a_success() -> None:
    load("z")
    load("a", fail=True)
    notify()
    sql("UPDATE load_log SET updated_at = now() - interval '8 days'")
    load("z")  # a duplicate
    assert len(notify()) == 1
    load("b")
    assert len(notify()) == 2


def test_muted_source_is_not_notified() -> None:
    load("a", fail=True)
    ends_at = sql("SELECT now() + interval '1 hour'")[0][0]
    Mute.objects.create(database_alias="default", table_name="arrests", reason="known", muted_by="ada", ends_at=ends_at)
    assert notify() == []


def test_signal_of_a_failure_is_sent_by_the_load_only() -> None:
    received: list[tuple[str, Any]] = []

    def receive_failed(**arguments: Any) -> None:
        received.append(("failed", arguments["source"]))

    def receive_recovered(**arguments: Any) -> None:
        received.append(("recovered", arguments["source"]))

    load_failed.connect(receive_failed)
    load_recovered.connect(receive_recovered)
    try:
        load("a", fail=True)
        notify()
        load("a")
        notify()
    finally:
        load_failed.disconnect(receive_failed)
        load_recovered.disconnect(receive_recovered)
    assert received == [("failed", "arrests"), ("recovered", "arrests")]


def test_tables_of_loads_may_be_missing() -> None:
    sql("ALTER TABLE load_log RENAME TO absent")
    try:
        assert notify() == []
    finally:
        sql("ALTER TABLE absent RENAME TO load_log")
