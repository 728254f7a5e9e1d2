from datetime import UTC, datetime, timedelta

from seeder.domain.circuit_breaker_rules import CircuitBreakerState

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
RESET = timedelta(seconds=300)


def after(failures: int, *, max_failures: int = 3) -> CircuitBreakerState:
    breaker = CircuitBreakerState()
    for number in range(failures):
        breaker = failed(breaker, NOON, view=f"v{number}", max_failures=max_failures)
    return breaker


def failed(
    breaker: CircuitBreakerState, now: datetime, *, view: str = "x", max_failures: int = 3, is_trial: bool = False
) -> CircuitBreakerState:
    return breaker.failed(now, view=view, reason="disk_full", max_failures=max_failures, is_trial=is_trial)


def test_breaker_opens_at_exactly_max_failures() -> None:
    assert after(2).opened_at is None
    assert after(2).next_trial_at(RESET) is None
    assert after(3).opened_at == NOON
    assert after(3).next_trial_at(RESET) == NOON + RESET


def test_success_resets_the_count_of_failures() -> None:
    breaker = after(2).succeeded()
    assert breaker == CircuitBreakerState()
    assert failed(breaker, NOON).opened_at is None


def test_success_closes_an_open_breaker() -> None:
    assert after(3).succeeded().next_trial_at(RESET) is None


def test_trial_starts_only_when_it_is_due() -> None:
    assert after(2).start_trial(NOON + RESET, reset_after=RESET) is None
    assert after(3).start_trial(NOON + RESET - timedelta(microseconds=1), reset_after=RESET) is None
    assert after(3).start_trial(NOON + RESET, reset_after=RESET) is not None


def test_trial_postpones_the_next_from_its_start_and_failure() -> None:
    start, end = NOON + RESET, NOON + RESET + timedelta(seconds=40)
    started = after(3).start_trial(start, reset_after=RESET)
    assert started is not None
    assert started.next_trial_at(RESET) == start + RESET
    again = failed(started, end, is_trial=True)
    assert (again.opened_at, again.failures, again.next_trial_at(RESET)) == (NOON, 4, end + RESET)


def test_failure_of_a_running_view_does_not_postpone_the_trial() -> None:
    later = failed(after(3), NOON + timedelta(seconds=200))
    assert (later.failures, later.next_trial_at(RESET)) == (4, NOON + RESET)


def test_first_failure_opens_with_max_failures_of_one() -> None:
    assert after(1, max_failures=1).opened_at == NOON


def test_repeated_failures_of_one_view_count_once() -> None:
    breaker = CircuitBreakerState()
    for _ in range(9):
        breaker = failed(breaker, NOON, view="bad")
    assert (breaker.failures, breaker.opened_at) == (1, None)
    breaker = failed(failed(breaker, NOON, view="b"), NOON, view="c")
    assert (breaker.failures, breaker.opened_at) == (3, NOON)
    assert failed(breaker.succeeded(), NOON, view="bad").failures == 1


def test_causes_name_some_views_and_count_the_others() -> None:
    assert after(2).cause_text() == "v0 (disk_full), v1 (disk_full)"
    assert after(5).cause_text() == "2 other views, v2 (disk_full), v3 (disk_full), v4 (disk_full)"
    assert CircuitBreakerState().cause_text() == ""
