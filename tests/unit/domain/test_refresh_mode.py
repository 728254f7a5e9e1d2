"""The choice between a plain and a concurrent refresh."""

from datetime import UTC, datetime, timedelta
from math import log2

import pytest

from seeder.domain.maintenance_windows import parse_windows
from seeder.domain.mode_predictor import PastRefresh, RefreshMode, learn_scale, predict
from seeder.domain.refresh_mode import ModeChoice, ModeFacts, ReaderLimits, choose_mode

NOW = datetime(2026, 11, 30, 2, tzinfo=UTC)
PLAIN, CONCURRENT = RefreshMode.PLAIN, RefreshMode.CONCURRENT
LIMITS = ReaderLimits(budget=timedelta(seconds=0.2))
WINDOW = parse_windows("01:00-03:00", default_zone="UTC")


def past(
    mode: RefreshMode | None, seconds: float, *, rows: int = 1000, changed: int | None = None, size: int = 8192
) -> PastRefresh:
    return PastRefresh(
        mode=mode,
        duration=timedelta(seconds=seconds),
        rows=rows,
        rows_inserted=changed,
        rows_deleted=changed,
        size_bytes=size,
    )


def choose(*refreshes: PastRefresh, limits: ReaderLimits = LIMITS, can_be_concurrent: bool = True) -> ModeChoice:
    return choose_mode(ModeFacts(past=refreshes, can_be_concurrent=can_be_concurrent), limits, NOW)


def test_plain_within_the_budget_may_wait_for_the_rest_of_it() -> None:
    choice = choose(past(PLAIN, 0.15))
    assert (choice.mode, choice.max_lock_wait) == (PLAIN, timedelta(seconds=0.05))
    assert choice.reason == "Plain, because it takes about 0.15 s, and readers may wait 0.20 s."
    assert choose(past(PLAIN, 0.2)).mode is PLAIN
    assert choose(past(PLAIN, 0.2)).max_lock_wait == timedelta(milliseconds=10)


def test_plain_beyond_the_budget_becomes_concurrent() -> None:
    choice = choose(past(PLAIN, 0.21), past(CONCURRENT, 2.0, changed=30))
    assert (choice.mode, choice.max_lock_wait) == (CONCURRENT, None)
    assert choice.reason == (
        "Concurrent, because a plain refresh takes about 0.21 s, and readers may wait 0.20 s. It takes about 2.00 s"
        " with 3% changed rows."
    )


def test_view_without_measurement_is_refreshed_concurrently() -> None:
    choice = choose()
    assert choice.mode is CONCURRENT
    assert choice.reason == "Concurrent, because no refresh of the view has been measured."


def test_open_window_allows_plain_if_it_ends_in_time() -> None:
    in_window = ReaderLimits(budget=LIMITS.budget, windows=WINDOW)
    assert choose(past(PLAIN, 3600), limits=in_window).mode is PLAIN
    assert choose(past(PLAIN, 3601), limits=in_window).mode is CONCURRENT
    choice = choose(past(PLAIN, 60), limits=in_window)
    assert choice.reason == "Plain, because of the maintenance window until 03:00 UTC, and it takes about 1 min 00 s."
    assert choice.max_lock_wait is None


def test_view_that_cannot_be_concurrent_is_plain_against_the_budget() -> None:
    choice = choose(past(PLAIN, 3), can_be_concurrent=False)
    assert (choice.mode, choice.is_forced) == (PLAIN, True)
    assert choice.reason
    assert "no usable unique index" in choice.reason
    within = choose(past(PLAIN, 0.1), can_be_concurrent=False)
    assert (within.mode, within.is_forced, within.max_lock_wait) == (PLAIN, False, None)


def test_view_that_cannot_be_concurrent_fails_without_fallback() -> None:
    limits = ReaderLimits(budget=LIMITS.budget, has_fallback=False)
    assert choose(past(PLAIN, 3), limits=limits, can_be_concurrent=False).mode is CONCURRENT


def test_bloat_is_part_of_the_reason() -> None:
    choice = choose(past(CONCURRENT, 2.0, changed=30, size=80_000), past(PLAIN, 1.0, size=40_000))
    assert choice.prediction.bloat == 2.0
    assert choice.reason
    assert choice.reason.endswith("A row takes 2.0 times the space that it took after the last plain refresh.")
    assert "space" not in (choose(past(CONCURRENT, 2.0, size=60_000), past(PLAIN, 1.0, size=40_000)).reason or "")


def test_held_view_is_refreshed_concurrently_with_the_cause() -> None:
    choice = choose(past(PLAIN, 0.15)).while_readers_hold_it()
    assert (choice.mode, choice.max_lock_wait) == (CONCURRENT, None)
    assert choice.reason
    assert "for longer than 0.05 s" in choice.reason


def test_duration_is_scaled_by_rows() -> None:
    assert predict([past(CONCURRENT, 9, rows=4000), past(PLAIN, 0.1)]).plain == timedelta(seconds=0.4)
    assert predict([past(PLAIN, 0.3, rows=0), past(PLAIN, 0.1)]).plain == timedelta(seconds=0.3)


def test_one_outlier_of_three_does_not_count() -> None:
    durations = (0.1, 5.0)
    assert predict([past(PLAIN, one) for one in durations]).plain == timedelta(seconds=5)
    assert predict([past(PLAIN, one) for one in (*durations, 0.12)]).plain == timedelta(seconds=0.12)


def test_plain_is_tried_again_after_five_concurrent_refreshes_if_it_is_usually_short_enough() -> None:
    close = [past(PLAIN, 0.21), past(PLAIN, 0.19), past(PLAIN, 0.18), past(PLAIN, 0.22)]
    concurrent = past(CONCURRENT, 1.0, changed=0)
    assert choose(*[concurrent] * 4, *close).mode is CONCURRENT
    assert choose(*[concurrent] * 5, *close).mode is PLAIN
    assert choose(*[concurrent] * 5, *close[:1], *close[3:], past(PLAIN, 0.19)).mode is CONCURRENT, "usually longer"


def test_busy_night_does_not_decide_an_estimate_from_concurrent_refreshes() -> None:
    usual, busy = past(CONCURRENT, 0.14, rows=10**6, changed=0), past(CONCURRENT, 14, rows=10**6, changed=0)
    assert predict([usual, busy, usual]).plain == timedelta(seconds=0.01)


def test_plain_refreshes_older_than_ten_do_not_count() -> None:
    latest = [past(CONCURRENT, 1.0, changed=0)] * 9
    assert predict([*latest, past(PLAIN, 5)]).plain == timedelta(seconds=5)
    plain = predict([*latest, latest[0], past(PLAIN, 5)]).plain
    assert plain
    assert plain <= timedelta(seconds=1), "it is estimated from the concurrent ones"


def test_creation_counts_only_without_refreshes() -> None:
    assert predict([past(None, 0.1)]).plain == timedelta(seconds=0.2)
    assert predict([past(PLAIN, 0.5), past(None, 0.1)]).plain == timedelta(seconds=0.5)


def test_mode_without_measurement_is_predicted_by_the_formula() -> None:
    rows = 40_000
    comparison = rows * log2(rows) * (9.5e-7 + 6e-7 * 0.1)
    both = predict([past(CONCURRENT, 1 + comparison, rows=rows, changed=4000)])
    assert both.plain
    assert both.plain.total_seconds() == pytest.approx(1, rel=1e-5)
    assert both.churn == 0.1
    other = predict([past(PLAIN, 1, rows=rows)], scale=2)
    assert other.concurrent
    assert other.concurrent.total_seconds() == pytest.approx(1 + 2 * rows * log2(rows) * 9.5e-7, rel=1e-5)


def test_scale_is_learned_from_both_modes() -> None:
    rows = 40_000
    comparison = rows * log2(rows) * 2.8e-7
    assert learn_scale([past(PLAIN, 1, rows=rows)]) is None
    measured = [past(CONCURRENT, 1 + 3 * comparison, rows=rows, changed=0), past(PLAIN, 1, rows=rows)]
    assert learn_scale(measured) == pytest.approx(3, rel=1e-4)


def test_estimate_of_plain_is_at_least_the_largest_measured_ratio() -> None:
    assert predict([past(CONCURRENT, 0.14, rows=10**6, changed=0)]).plain == timedelta(seconds=0.01)


def test_unknown_figures_stay_unknown() -> None:
    known = predict([past(PLAIN, 0.1)])
    assert (known.churn, known.bloat) == (None, 1.0)
    assert predict([]).plain is None
    assert predict([past(CONCURRENT, 1, rows=0, changed=5)]).churn == 1.0
