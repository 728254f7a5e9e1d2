"""The setting NOTIFICATIONS, signatures, delays and texts."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from seeder import conf
from seeder.domain.notifications.channels import parse_channels
from seeder.domain.notifications.delivery import RETRY_DELAYS, DeliveryState, next_attempt, state_after
from seeder.domain.notifications.events import Event
from seeder.domain.notifications.signing import signed_headers
from seeder.domain.notifications.texts import Notification, subject_of
from seeder.errors import ConfigurationError

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # noqa: S105  # an example of the specification
HOOK = {"webhook": "https://hooks.example.org/T0KEN", "secret": SECRET}
NOW = datetime(2026, 11, 30, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    "facts",
    [
        None,
        {},
        {"email": "ada@example.org"},
        {"email": ["ada"]},
        {"email": ["ada@example.org\nbcc: x@example.org"]},
        {"email": ["ada@example.org"], "webhook": HOOK["webhook"]},
        {**HOOK, "webhook": "http://hooks.example.org/T0KEN"},
        {**HOOK, "webhook": "https://user:T0KEN@hooks.example.org/"},
        {**HOOK, "webhook": "https:///T0KEN"},
        {**HOOK, "webhook": "https://[T0KEN/"},
        {**HOOK, "secret": "T0KEN"},
        {**HOOK, "secret": "whsec_T0KEN"},
        {**HOOK, "secret": []},
        {**HOOK, "timeout_seconds": 0},
        {**HOOK, "timeout_seconds": True},
        {**HOOK, "events": ["view_failing"]},
        {**HOOK, "events": "view_failed"},
        {**HOOK, "agencies": [1]},
        {**HOOK, "colour": "T0KEN"},
        {"openlineage": "http://hooks.example.org/T0KEN"},
        {"openlineage": HOOK["webhook"], "token": "T0KEN T0KEN"},
        {"openlineage": HOOK["webhook"], "events": ["view_failed"]},
        {"openlineage": HOOK["webhook"], "sql": "T0KEN"},
        {"apprise": "T0KEN"},
        {"apprise": ["slack://T0KEN"]},
        {"apprise": "slack://T0KEN", "digest_above": 0},
    ],
)
def test_invalid_channel_is_refused_without_its_values(settings: Any, facts: Any) -> None:
    settings.SEEDER = {"NOTIFICATIONS": {"pager": facts}}
    with pytest.raises(ConfigurationError) as refused:
        conf.load()
    assert "pager" in str(refused.value)
    assert not any(word in str(refused.value) for word in ("T0KEN", "MfKQ"))


def test_channel_shows_neither_address_nor_secret() -> None:
    [channel] = parse_channels({"pager": {**HOOK, "secret": [SECRET, SECRET], "agencies": ["demo"]}})
    assert not any(word in repr(channel) for word in ("T0KEN", "MfKQ", "hooks", "1\\xf2"))
    others = {"lineage": {"openlineage": HOOK["webhook"], "token": "T0KEN"}, "chat": {"apprise": "slack://T0KEN"}}
    assert not any(word in repr(other) for other in parse_channels(others) for word in ("T0KEN", "hooks"))
    assert channel.wants(Event.VIEW_LATE, ["metro", "demo"])
    assert not channel.wants(Event.VIEW_LATE, ["metro"])
    assert not channel.wants(Event.RUN_FINISHED, ["demo"])


def test_signature_is_that_of_the_reference_library() -> None:
    [channel] = parse_channels({"pager": {**HOOK, "secret": [SECRET, SECRET]}})
    headers = signed_headers(
        channel.receiver.secrets,  # type: ignore[union-attr]  # a webhook
        message_id="msg_p5jXN8AQM9LWM0D4loKWxJek",
        sent_at=datetime.fromtimestamp(1614265330, UTC),
        body=b'{"test": 2432232314}',
    )
    signature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert headers["webhook-signature"] == f"{signature} {signature}"


def test_delays_grow_and_end() -> None:
    assert next_attempt(1, NOW) == NOW + timedelta(seconds=5)
    assert next_attempt(2, NOW, retry_after=timedelta(hours=1)) == NOW + timedelta(hours=1)
    assert next_attempt(2, NOW, retry_after=timedelta(days=300)) == NOW + timedelta(days=1)
    assert next_attempt(len(RETRY_DELAYS), NOW) == NOW + timedelta(days=1)
    assert next_attempt(len(RETRY_DELAYS) + 1, NOW) is None


@pytest.mark.parametrize(
    ("status", "state"),
    [(200, DeliveryState.SENT), (299, DeliveryState.SENT), (300, DeliveryState.PENDING), (410, DeliveryState.GONE)],
)
def test_answer_decides_what_follows(status: int, state: DeliveryState) -> None:
    assert state_after(status) is state


def test_subject_of_any_name_is_one_line() -> None:
    facts = {"view": 'reporting."a\r\nbcc: x"', "reason": "division_by_zero"}
    subject = subject_of([Notification(event=Event.VIEW_FAILED, facts=facts, at=NOW)])
    assert subject == 'reporting."a bcc: x" failed: division_by_zero'
