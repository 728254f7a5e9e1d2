"""Which runs are a night, how its views ended, and when a night is missing."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from seeder.domain.monitoring.nights import NightCounts, NightRun, Round, group_runs, missing_since

MIDNIGHT = datetime(2026, 12, 1, tzinfo=UTC)
NOW = MIDNIGHT + timedelta(hours=7)


def run(
    started: str,
    finished: str | None,
    **facts: Any,
) -> NightRun:
    usual = {"description": "every report", "stopped_by": None, "is_alive": False, "is_regular": True}
    return NightRun(
        run_id=started,
        requested_by="seeder: schedule",
        started_at=at(started),
        finished_at=None if finished is None else at(finished),
        **usual | facts,
    )


def at(clock: str) -> datetime:
    hours, minutes = map(int, clock.split(":"))
    return MIDNIGHT + timedelta(hours=hours, minutes=minutes)


def starts(*runs: NightRun) -> list[list[str]]:
    """Return the ids of the runs of each night, latest night first."""
    return [[one.run_id for one in found.runs] for found in group_runs(runs, NOW) if found.is_night]


def test_runs_of_several_agencies_make_one_night() -> None:
    agencies = [run("2:00", "2:10", description="agency a"), run("4:30", "4:40", description="agency b")]
    assert starts(*agencies) == [["2:00", "4:30"]]
    late = run("7:41", "7:42", description="agency c")
    assert starts(*agencies, late) == [["7:41"], ["2:00", "4:30"]]


def test_request_repeated_every_hour_is_a_night_each() -> None:
    assert starts(run("2:00", "2:20"), run("3:00", "3:20")) == [["3:00"], ["2:00"]]


def test_parts_of_one_request_are_one_night() -> None:
    assert starts(run("2:00", "2:20"), run("2:05", "2:30"), run("2:32", "2:50")) == [["2:00", "2:05", "2:32"]]
    assert starts(run("2:00", "2:20"), run("2:23", "2:50")) == [["2:23"], ["2:00"]]


def test_run_that_continues_an_interrupted_one_is_of_its_night() -> None:
    assert starts(run("2:00", "2:20", stopped_by="killed"), run("3:20", "3:40")) == [["2:00", "3:20"]]
    assert starts(run("2:00", None), run("2:30", "3:40")) == [["2:00", "2:30"]]


def test_run_by_hand_does_not_extend_a_night() -> None:
    night, by_hand = group_runs([run("2:00", "2:41"), run("3:00", "3:01", is_regular=False)], NOW)[::-1]
    assert (night.is_night, by_hand.is_night) == (True, False)
    assert night.finished_at == at("2:41")


def test_night_with_a_living_run_has_no_end() -> None:
    [night] = group_runs([run("2:00", "2:20", description="agency a"), run("2:01", None, is_alive=True)], NOW)
    assert night.is_running
    assert night.finished_at is None
    assert night.interrupted_by is None


def test_night_is_interrupted_if_its_last_run_was() -> None:
    [killed] = group_runs([run("2:00", None)], NOW)
    [stopped] = group_runs([run("2:00", "2:10", stopped_by="SIGTERM")], NOW)
    [continued] = group_runs([run("2:00", "2:10", stopped_by="SIGTERM"), run("2:11", "2:20")], NOW)
    assert [one.interrupted_by for one in (killed, stopped, continued)] == ["killed", "SIGTERM", None]
    assert killed.finished_at is None


def test_counts_name_only_what_there_is() -> None:
    assert facts(NightCounts(views=1, refreshed=1)) == "1 of 1 view refreshed"
    counts = NightCounts(views=1200, refreshed=1190, skipped=4, failed=3, held=2, interrupted=1, repaired=1)
    assert facts(counts) == (
        "1,194 of 1,200 views refreshed or unchanged, 3 failed, 2 held, 1 interrupted, 1 of these refreshed since"
    )


def test_views_without_a_result_complete_the_sum() -> None:
    assert facts(NightCounts(views=82, refreshed=82, absent=1)) == "82 of 83 views refreshed, 1 not selected"


def test_only_few_views_are_named() -> None:
    names = ["reporting.a", "reporting.b"]
    two, three = (NightCounts(views=9, failed=number, failed_views=names) for number in (2, 3))
    assert [[*counts.facts][1].views for counts in (two, three)] == [names, ()]


def test_open_rows_of_a_dead_run_count_as_interrupted() -> None:
    counts = NightCounts(views=9, refreshed=2, interrupted=1, running=2, pending=4)
    assert facts(counts) == "2 of 9 views refreshed, 1 interrupted, 2 running, 4 pending"
    assert facts(counts.of_dead_runs()) == "2 of 9 views refreshed, 7 interrupted"


@pytest.mark.parametrize(
    ("night", "due", "hours", "expected"),
    [
        (run("2:00", "2:41"), [], 26, None),
        (run("2:00", "2:41"), [], 4, at("2:00")),
        (run("2:00", "2:41"), [at("6:00")], 26, at("6:00")),
        (run("6:01", "6:41"), [at("6:00")], 26, None),
        (run("2:00", None, is_alive=True), [at("6:00")], 4, None),
        (None, [at("6:00")], 26, at("6:00")),
        (None, [at("6:58"), at("23:00")], 26, None),
        (None, [], 26, None),
    ],
)
def test_night_is_missing_if_a_schedule_is_overdue_or_the_last_is_old(
    night: NightRun | None, due: list[datetime], hours: int, expected: datetime | None
) -> None:
    last = None if night is None else Round(runs=(night,), is_night=True)
    assert missing_since(last, due, NOW, max_age=timedelta(hours=hours)) == expected


def facts(counts: NightCounts) -> str:
    return ", ".join(fact.text for fact in counts.facts)
