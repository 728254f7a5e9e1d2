"""Waits between attempts."""

from datetime import UTC, datetime

import pytest

from data_pipeline.domain.retry_decisions import Backoff, Deadline, is_repeatable, next_wait, parse_retry_after

NOW = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(("attempt", "seconds"), [(1, 0.5), (2, 1), (3, 2), (7, 30), (10_000, 30)])
def test_backoff_doubles_up_to_its_bound_and_adds_jitter(attempt: int, seconds: float) -> None:
    assert [Backoff().seconds(attempt, random) for random in (0, 0.5)] == [seconds, seconds + 0.25]


def test_last_attempt_has_no_wait() -> None:
    assert next_wait(Backoff(), attempt=3, attempts=4, random=0) == 2
    assert next_wait(Backoff(), attempt=4, attempts=4, random=0) is None


def test_wait_that_would_outlast_the_deadline_is_not_begun() -> None:
    waits = [next_wait(Backoff(), attempt=1, attempts=4, random=0, left_s=left) for left in (0.6, 0.5, -1)]
    assert waits == [0.5, None, None]


def test_retry_after_replaces_the_backoff() -> None:
    assert next_wait(Backoff(), attempt=3, attempts=4, random=0.5, retry_after_s=10) == 10.25
    assert next_wait(Backoff(), attempt=3, attempts=4, random=0.5, retry_after_s=10, left_s=10) is None


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0),
        (" 120 ", 120),
        ("Sun, 29 Nov 2026 12:02:00 GMT", 120),
        ("Sunday, 29-Nov-26 12:02:00 GMT", 120),
        ("Sun Nov 29 12:02:00 2026", 120),
        ("Sun, 29 Nov 2026 11:00:00 GMT", 0),
        ("", None),
        ("-1", None),
        ("1.5", None),
        ("٣", None),
        ("soon", None),
        ("Sun, 99 Nov 2026 12:00:00 GMT", None),
        ("9" * 400, None),
    ],
)
def test_retry_after_has_seconds_or_a_date(text: str, seconds: float | None) -> None:
    assert parse_retry_after({"retry-after": text}, NOW) == seconds


def test_date_is_compared_with_that_of_the_server() -> None:
    headers = {"retry-after": "Sun, 29 Nov 2020 12:00:30 GMT", "date": "Sun, 29 Nov 2020 12:00:00 GMT"}
    assert parse_retry_after(headers, NOW) == 30


def test_only_idempotent_methods_are_repeated_without_a_key() -> None:
    assert all(is_repeatable(method, {}) for method in ("GET", "HEAD", "PUT", "DELETE", "OPTIONS"))
    assert not any(is_repeatable(method, {}) for method in ("POST", "PATCH"))
    assert is_repeatable("POST", {"idempotency-key": "k"})


def test_deadline_counts_from_its_start() -> None:
    instants = iter([100.0, 103.0, 111.0])
    deadline = Deadline.after(10, lambda: next(instants))
    assert [deadline.left_s(), deadline.left_s()] == [7, -1]
