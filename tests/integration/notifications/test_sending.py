"""Delivery of notifications to real receivers, with clocks that the tests turn."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from time import monotonic

import django
import pytest
from django.core import mail
from django.db import DEFAULT_DB_ALIAS
from pytest_django import Settings

from seeder.domain.notifications.delivery import LEASE, RETRY_DELAYS
from seeder.models import Notification
from seeder.notification_errors import NotificationsUnusable, UnknownChannel
from seeder.postgres.named_statements import STATEMENTS
from seeder.postgres.sessions import query
from seeder.services.notifications import sending
from seeder.services.notifications.sending import SendResult, send_notifications
from tests import scripted_http
from tests.conftest import CHECKOUT, CompletedCommand, process_environment, sql
from tests.integration.notifications.channels import Clock, create_views, ids, refresh, require_signature, webhook
from tests.polling import eventually
from tests.scripted_http import answer, serve

pytestmark = pytest.mark.usefixtures("contract_tables")
Manage = Callable[..., CompletedCommand]
MINUTE = timedelta(minutes=1)


@pytest.fixture
def clock() -> Clock:
    return Clock()


def use(settings: Settings, url: str, **options: object) -> None:
    settings.SEEDER = {**webhook(url, **options), "MAX_RETRIES": 0}


def states() -> list[str]:
    return list(Notification.objects.order_by("id").values_list("state", flat=True))


def test_receiver_that_is_down_for_an_hour_gets_each_event_in_order(settings: Settings, clock: Clock) -> None:
    create_views("a", "b")
    with serve(answer(503)) as server:
        use(settings, server.url)
        for failing in (("a",), ("b",), ("a", "b"), ()):
            refresh(*failing)
        for _ in range(12):
            send_notifications(clock=clock)
            clock.later += 5 * MINUTE
        assert set(states()) == {"pending"}
        assert len(server.requests) < 10  # the delays grow
        server.steps = [answer(204)]
        failed = len(server.requests)
        for _ in range(10):
            send_notifications(clock=clock)
            clock.later += 15 * MINUTE
        delivered = server.requests[failed:]
    bodies = [json.loads(request.body) for request in delivered]
    by_view = {
        view: [body["type"] for body in bodies if body["data"]["view"] == f"reporting.{view}"] for view in ("a", "b")
    }
    changes = ["view.failed", "view.recovered"]
    assert by_view == {"a": changes * 2, "b": changes}
    assert len(set(ids(delivered))) == len(delivered) == 6
    for request in server.requests:
        require_signature(request)
    assert set(states()) == {"sent"}
    assert bodies[0]["data"] | {"runId": "", "since": ""} == {
        "view": "reporting.a",
        "database": "default",
        "agencies": ["demo"],
        "runId": "",
        "reason": "division_by_zero",
        "sqlstate": "22012",
        "failures": 1,
        "previous": "ok",
        "since": "",
    }


def test_sender_that_is_killed_before_it_records_the_delivery_sends_again(settings: Settings, clock: Clock) -> None:
    create_views("a")
    with serve(scripted_http.silence, answer(200)) as server:
        use(settings, server.url, timeout_seconds=60)
        refresh("a")
        program = (
            "import django; django.setup()\nfrom django.conf import settings\n"
            f"settings.SEEDER = {settings.SEEDER!r}\n"
            "from seeder.services.notifications.sending import send_notifications\nsend_notifications()"
        )
        environment = {**process_environment(), "DJANGO_SETTINGS_MODULE": "settings.test"}
        process = subprocess.Popen([sys.executable, "-c", program], cwd=CHECKOUT, env=environment)
        eventually(lambda: server.requests, timeout=60)
        process.send_signal(signal.SIGKILL)
        process.wait(60)
        assert states() == ["pending"]
        send_notifications(clock=clock)
        assert len(server.requests) == 1  # the killed sender might still be alive
        clock.later = LEASE + MINUTE
        assert send_notifications(clock=clock) == SendResult(sent=1)
    assert states() == ["sent"]
    first, second = ids(server.requests)
    assert first == second
    assert server.requests[0].body == server.requests[1].body


def test_later_event_of_a_view_waits_for_the_earlier_one(settings: Settings, clock: Clock) -> None:
    create_views("a", "b")
    with serve(answer(500), answer(200)) as server:
        use(settings, server.url)
        refresh("a")
        send_notifications(clock=clock)
        refresh("b")
        refresh("b")
        send_notifications(clock=clock)
        assert [json.loads(one.body)["data"]["view"] for one in server.requests] == ["reporting.a", "reporting.b"]
        clock.later = RETRY_DELAYS[0] * 2
        send_notifications(clock=clock)
    types = [json.loads(one.body)["type"] for one in server.requests]
    assert types == ["view.failed", "view.failed", "view.failed", "view.recovered"]


def test_gone_receiver_gets_nothing_until_an_operator_retries(settings: Settings, clock: Clock) -> None:
    create_views("a", "b")
    with serve(answer(410), answer(200)) as server:
        use(settings, server.url)
        refresh("a", "b")
        assert send_notifications(clock=clock) == SendResult(given_up=1)
        refresh()
        clock.later = timedelta(days=1)
        assert send_notifications(clock=clock) == SendResult()
        assert len(server.requests) == 1
        assert sending.retry_channel("pager") == 4
        assert send_notifications(clock=clock).sent == 4
    with pytest.raises(UnknownChannel, match="'mail'. It has: pager"):
        sending.retry_channel("mail")


def test_redirect_is_not_followed(settings: Settings, clock: Clock) -> None:
    create_views("a")
    with serve(answer(200)) as other, serve(answer(307, location=other.url)) as server:
        use(settings, server.url)
        refresh("a")
        assert send_notifications(clock=clock).failed == 1
        assert other.requests == []
    assert Notification.objects.get().error == "HTTP status 307"


@pytest.mark.parametrize(
    "step", [scripted_http.silence, scripted_http.endless(b"x", seconds=0.2, start=b"HTTP/1.1 200 OK\r\nx: ")]
)
def test_slow_receiver_ends_at_the_time_limit(settings: Settings, clock: Clock, step: scripted_http.Step) -> None:
    create_views("a", "b")
    with serve(step) as server:
        use(settings, server.url)
        refresh("a", "b")
        started = monotonic()
        assert send_notifications(clock=clock) == SendResult(failed=1)
        assert monotonic() - started < 5
        assert len(server.requests) == 1  # the other one is not tried, as it would take as long


def test_channel_that_hangs_does_not_delay_the_others(
    settings: Settings, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    create_views("a")
    with serve(scripted_http.silence) as hanging, serve(answer(200)) as server:
        channels = [webhook(url)["NOTIFICATIONS"]["pager"] for url in (hanging.url, server.url)]
        settings.SEEDER = {"NOTIFICATIONS": dict(zip(("a", "b"), channels, strict=True))}
        refresh("a")
        monkeypatch.setattr(sending, "_MAX_SECONDS", 0.5)
        assert send_notifications(clock=clock) == SendResult(sent=1, failed=1)


def test_notification_is_given_up_after_three_days(settings: Settings, clock: Clock) -> None:
    create_views("a")
    use(settings, "http://127.0.0.1:9/")
    refresh("a")
    for _ in range(len(RETRY_DELAYS) + 1):
        send_notifications(clock=clock)
        clock.later += timedelta(days=1, minutes=1)
    row = Notification.objects.get()
    assert (row.state, row.attempts, row.error) == ("failed", 10, "ConnectionRefusedError: Connection refused")


def use_mail_server(settings: Settings, kind: str, **options: str | int) -> None:
    backend = f"django.core.mail.backends.{kind}.EmailBackend"
    if django.VERSION >= (6, 1):
        settings.MAILERS = {"default": {"BACKEND": backend, "OPTIONS": options}}
    else:
        settings.EMAIL_BACKEND = backend
        for name, value in options.items():
            setattr(settings, f"EMAIL_{name.upper()}", value)


@pytest.mark.parametrize(("views", "subjects"), [(2, 2), (6, 1)])
def test_mails_of_a_bad_night_are_one_digest(settings: Settings, clock: Clock, views: int, subjects: int) -> None:
    settings.SEEDER = {"NOTIFICATIONS": {"on call": {"email": ["ada@example.org"]}}}
    use_mail_server(settings, "locmem")
    names = [f"v{number}" for number in range(views)]
    create_views(*names)
    refresh(*names)
    assert send_notifications(clock=clock).sent == 0  # they are collected
    clock.later = 6 * MINUTE
    assert send_notifications(clock=clock).sent == views
    assert send_notifications(clock=clock).sent == 0
    sent = mail.outbox
    assert len(sent) == subjects
    assert sent[0].to == ["ada@example.org"]
    singly = {f"[Django] reporting.{name} failed: division_by_zero" for name in names}
    digest = {f"[Django] {views} notifications: {views} views failed"}
    assert {one.subject for one in sent} == (digest if subjects == 1 else singly)
    assert str(sent[0].body).count("SQLSTATE: 22012") == views // subjects


def test_mail_that_is_refused_is_sent_later(settings: Settings, clock: Clock) -> None:
    settings.SEEDER = {"NOTIFICATIONS": {"on call": {"email": ["ada@example.org"], "collect_seconds": 0}}}
    use_mail_server(settings, "smtp", host="127.0.0.1", port=9)
    create_views("a")
    refresh("a")
    assert send_notifications(clock=clock) == SendResult(failed=1)
    use_mail_server(settings, "locmem")
    clock.later = MINUTE
    assert send_notifications(clock=clock) == SendResult(sent=1)


def test_command_says_what_it_did(settings: Settings, manage: Manage) -> None:
    create_views("a")
    with serve(answer(500), answer(200)) as server:
        use(settings, server.url)
        refresh("a")
        failed = manage("send_notifications")
        assert (failed.exit_code, failed.out) == (1, "0 notifications sent, 1 failed for now, 0 given up.\n")
        sent = manage("send_notifications", "--retry", "pager", "--json")
        assert sent.document == {"retried": 1, "sent": 1, "failed": 0, "givenUp": 0}
    assert "SEEDER['NOTIFICATIONS'] has no channel 'x'" in manage("send_notifications", "--retry", "x").err


def test_missing_table_is_named(settings: Settings) -> None:
    use(settings, "http://127.0.0.1:9/")
    sql("DROP TABLE reporting.seeder_notification")
    with pytest.raises(NotificationsUnusable, match="seeder_notification: a table in the contract, missing here"):
        send_notifications()


def test_doctor_names_channels_that_get_nothing(settings: Settings, clock: Clock, manage: Manage) -> None:
    def found() -> set[str]:
        diagnoses = manage("doctor", "--json").document["diagnoses"]
        return {one["problem"] for one in diagnoses if one["area"] == "notifications"}

    create_views("a", "b")
    with serve(answer(410)) as server:
        use(settings, server.url)
        refresh("a", "b")
        assert found() == set()
        sql("UPDATE reporting.seeder_notification SET created_at = now() - interval '2 hours'")
        assert found() == {"notifications_overdue"}
        send_notifications(clock=clock)
        assert found() == {"channel_disabled"}
    settings.SEEDER = {"NOTIFICATIONS": {"other": settings.SEEDER["NOTIFICATIONS"]["pager"]}}
    assert found() == {"channel_unknown"}
    sql("DROP TABLE reporting.seeder_notification")
    assert found() == {"notifications_unusable"}


def test_pruning_deletes_old_notifications(settings: Settings, manage: Manage) -> None:
    use(settings, "http://127.0.0.1:9/")
    create_views("a", "b")
    refresh("a", "b")
    sql("UPDATE reporting.seeder_notification SET created_at = now() - interval '20 days' WHERE id = 1")
    assert manage("prune_history", "--days", "10", "--dry-run").exit_code == 0
    assert len(states()) == 2
    assert manage("prune_history", "--days", "10").exit_code == 0
    assert len(states()) == 1


def test_next_of_many_notifications_is_found_by_an_index() -> None:
    insert = "INSERT INTO reporting.seeder_notification (channel, event, subject, facts, state, ended_at)"
    subject = "'pager', 'view_failed', 'default:reporting.v' || n / 2, '{}'"
    sql(f"{insert} SELECT {subject}, 'sent', now() FROM generate_series(1, 20000) AS n")
    sql(f"{insert} SELECT {subject}, 'pending', NULL FROM generate_series(1, 2000) AS n")
    sql("ANALYZE reporting.seeder_notification")
    now = datetime.now(UTC)
    parameters = {"channel": "pager", "now": now, "lease_ends_at": now}
    plan = query(DEFAULT_DB_ALIAS, f"EXPLAIN {STATEMENTS['claim_notification']}", parameters)
    text = "\n".join(line for (line,) in plan)
    assert "seeder_notification_next" in text
    assert "Sort" not in text
