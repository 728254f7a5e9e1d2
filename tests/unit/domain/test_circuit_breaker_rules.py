from datetime import UTC, datetime, timedelta

from seeder.domain.circuit_breaker_rules import CircuitBreakerState

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
RESET = timedelta(seconds=300)


def after(failures: int, *, most: int = 3) -> CircuitBreakerState:
    breaker = CircuitBreakerState()
    for _ in range(failures):
        breaker = breaker.failed(NOON, max_failures=most, is_trial=False)
    return breaker


def test_it_opens_with_the_last_failure_that_it_bears_and_not_before() -> None:
    assert after(2).opened_at is None
    assert after(2).next_trial_at(RESET) is None
    assert after(3).opened_at == NOON
    assert after(3).next_trial_at(RESET) == NOON + RESET


def test_a_success_in_between_counts_from_nothing_again() -> None:
    breaker = after(2).succeeded()
    assert breaker == CircuitBreakerState()
    assert breaker.failed(NOON, max_failures=3, is_trial=False).opened_at is None


def test_a_success_closes_it() -> None:
    assert after(3).succeeded().next_trial_at(RESET) is None


def test_a_trial_puts_off_the_next_one_from_its_start_and_from_its_failure() -> None:
    later, latest = NOON + RESET, NOON + RESET + timedelta(seconds=40)
    trying = after(3).trial_started(later)
    assert trying.next_trial_at(RESET) == later + RESET
    failed = trying.failed(latest, max_failures=3, is_trial=True)
    assert (failed.opened_at, failed.failures, failed.next_trial_at(RESET)) == (NOON, 4, latest + RESET)


def test_what_was_already_running_when_it_opened_does_not_put_off_the_trial() -> None:
    late = after(3).failed(NOON + timedelta(seconds=200), max_failures=3, is_trial=False)
    assert (late.failures, late.next_trial_at(RESET)) == (4, NOON + RESET)


def test_the_failure_that_opens_it_may_itself_be_the_first_one() -> None:
    assert after(1, most=1).opened_at == NOON
