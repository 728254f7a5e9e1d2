from datetime import UTC, datetime, timedelta

from seeder.domain.circuit_breaker_rules import CircuitBreakerState

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
RESET = timedelta(seconds=300)


def after(failures: int, *, max_failures: int = 3) -> CircuitBreakerState:
    breaker = CircuitBreakerState()
    for _ in range(failures):
        breaker = breaker.failed(NOON, max_failures=max_failures, is_trial=False)
    return breaker


def test_breaker_opens_at_exactly_max_failures() -> None:
    assert after(2).opened_at is None
    assert after(2).next_trial_at(RESET) is None
    assert after(3).opened_at == NOON
    assert after(3).next_trial_at(RESET) == NOON + RESET


def test_success_resets_the_count_of_failures() -> None:
    breaker = after(2).succeeded()
    assert breaker == CircuitBreakerState()
    assert breaker.failed(NOON, max_failures=3, is_trial=False).opened_at is None


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
    failed = started.failed(end, max_failures=3, is_trial=True)
    assert (failed.opened_at, failed.failures, failed.next_trial_at(RESET)) == (NOON, 4, end + RESET)


def test_failure_of_a_running_view_does_not_postpone_the_trial() -> None:
    later = after(3).failed(NOON + timedelta(seconds=200), max_failures=3, is_trial=False)
    assert (later.failures, later.next_trial_at(RESET)) == (4, NOON + RESET)


def test_first_failure_opens_with_max_failures_of_one() -> None:
    assert after(1, max_failures=1).opened_at == NOON
