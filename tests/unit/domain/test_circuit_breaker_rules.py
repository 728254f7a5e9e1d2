from datetime import UTC, datetime, timedelta

from seeder.domain.circuit_breaker_rules import CircuitBreakerState

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
RESET = timedelta(seconds=300)


def breaker_after(failures: int, *, max_failures: int = 3) -> CircuitBreakerState:
    breaker = CircuitBreakerState()
    for _ in range(failures):
        breaker = breaker.failed(NOON, max_failures=max_failures, is_trial=False)
    return breaker


def test_breaker_opens_at_the_failure_limit() -> None:
    assert breaker_after(2).opened_at is None
    assert breaker_after(2).next_trial_at(RESET) is None
    assert breaker_after(3).opened_at == NOON
    assert breaker_after(3).next_trial_at(RESET) == NOON + RESET


def test_success_resets_the_failure_count() -> None:
    breaker = breaker_after(2).succeeded()
    assert breaker == CircuitBreakerState()
    assert breaker.failed(NOON, max_failures=3, is_trial=False).opened_at is None


def test_success_closes_the_breaker() -> None:
    assert breaker_after(3).succeeded().next_trial_at(RESET) is None


def test_trial_delays_the_next_one_from_its_start_and_its_failure() -> None:
    later, latest = NOON + RESET, NOON + RESET + timedelta(seconds=40)
    during_trial = breaker_after(3).trial_started(later)
    assert during_trial.next_trial_at(RESET) == later + RESET
    failed = during_trial.failed(latest, max_failures=3, is_trial=True)
    assert (failed.opened_at, failed.failures, failed.next_trial_at(RESET)) == (NOON, 4, latest + RESET)


def test_failure_of_a_view_already_running_does_not_delay_the_trial() -> None:
    late = breaker_after(3).failed(NOON + timedelta(seconds=200), max_failures=3, is_trial=False)
    assert (late.failures, late.next_trial_at(RESET)) == (4, NOON + RESET)


def test_breaker_with_limit_one_opens_at_the_first_failure() -> None:
    assert breaker_after(1, max_failures=1).opened_at == NOON
