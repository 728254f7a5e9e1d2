"""A channel of the library apprise, with a real receiver on this machine."""

import json
import logging
from datetime import timedelta

import pytest
from pytest_django import Settings

from seeder.checks import check_extras
from seeder.models import Notification
from seeder.services import extras
from seeder.services.notifications.sending import SendResult, send_notifications
from tests.integration.notifications.channels import Clock, create_views, refresh
from tests.scripted_http import answer, serve, silence

pytestmark = [
    pytest.mark.usefixtures("contract_tables"),
    # apprise 2.3 imports it before Python 3.13, which has it no more.
    pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning"),
]
MINUTE = timedelta(minutes=1)


def use(settings: Settings, address: str, **options: object) -> None:
    channel = {"apprise": address, "collect_seconds": 0, "timeout_seconds": 2, **options}
    settings.SEEDER = {"NOTIFICATIONS": {"chat": channel}, "MAX_RETRIES": 0}


def test_message_reaches_the_service_and_its_token_no_log_and_no_row(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    clock = Clock()
    with serve(answer(503), answer(200)) as server:
        use(settings, f"json://ada:p4ssw0rd@127.0.0.1:{server.port}/s3cr3t-t0k3n")
        create_views("a")
        refresh("a")
        assert send_notifications(clock=clock) == SendResult(failed=1)
        assert Notification.objects.get().error == "the service did not take the message"
        clock.later = MINUTE
        assert send_notifications(clock=clock) == SendResult(sent=1)
        refresh()
        assert send_notifications(clock=clock) == SendResult(sent=1)
    bodies = [json.loads(request.body) for request in server.requests]
    assert {request.path for request in server.requests} == {"/s3cr3t-t0k3n"}
    assert [(one["title"], one["type"]) for one in bodies[1:]] == [
        ("reporting.a failed: division_by_zero", "failure"),
        ("reporting.a recovered", "success"),
    ]
    assert "SQLSTATE: 22012" in bodies[0]["message"]
    shown = [*caplog.messages, *(str(row) for row in Notification.objects.values())]
    assert caplog.messages
    assert not any(secret in text for text in shown for secret in ("s3cr3t", "p4ssw0rd"))


def test_bad_night_is_one_message(settings: Settings) -> None:
    views = [f"view_{number}" for number in range(8)]
    with serve(answer(200)) as server:
        use(settings, f"json://127.0.0.1:{server.port}/", digest_above=3)
        create_views(*views)
        refresh(*views)
        assert send_notifications() == SendResult(sent=8)
    [request] = server.requests
    assert json.loads(request.body)["title"] == "8 notifications: 8 views failed"


def test_service_that_never_answers_and_unknown_addresses_are_tried_again(settings: Settings) -> None:
    create_views("a")
    with serve(silence) as server:
        use(settings, f"json://127.0.0.1:{server.port}/?rto=30", timeout_seconds=1)
        refresh("a")
        assert send_notifications() == SendResult(failed=1)
    use(settings, "unknown://t0k3n-0f-chat")
    clock = Clock(later=MINUTE)
    assert send_notifications(clock=clock) == SendResult(failed=1)
    assert Notification.objects.get().error == "apprise does not know the address"


def test_missing_extra_is_a_system_check_and_the_error_of_the_row(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(extras, "APPRISE", extras.Extra("apprise", {"no_such_module": "apprise"}))
    use(settings, "json://127.0.0.1:1/")
    [message] = check_extras()
    assert (message.id, "reporting-seeder[apprise]" in message.msg) == ("seeder.E017", True)
    create_views("a")
    refresh("a")
    assert send_notifications() == SendResult(failed=1)
    assert "reporting-seeder[apprise]" in str(Notification.objects.get().error)
