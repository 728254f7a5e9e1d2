from datetime import timedelta

import pytest

from seeder.domain.queue.queue_settings_rules import queue_settings_problems
from settings.base import Q_CLUSTER


def told(limit: timedelta = timedelta(), *, pooled: bool = False, **given: object) -> list[str]:
    return [
        fault.check_id
        for fault in queue_settings_problems(
            {**Q_CLUSTER, **given}, statement_timeout=limit, uses_connection_pool=pooled
        )
    ]


def test_the_host_s_own_settings_are_faultless() -> None:
    assert told() == []


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        ({"timeout": 60, "retry": 60}, "seeder.E008"),
        ({"guard_cycle": 0.3}, "seeder.W010"),
        ({"catch_up": True}, "seeder.W011"),
        ({"max_attempts": 0}, "seeder.W012"),
        ({"ack_failures": False}, "seeder.W012"),
        ({"orm": None, "redis": {"host": "redis"}}, "seeder.W013"),
        ({"django_redis": "default"}, "seeder.W013"),
    ],
)
def test_a_setting_that_is_not_right_is_named(given: dict[str, object], fault: str) -> None:
    assert told(**given) == [fault]  # type: ignore[arg-type]  # as Q_CLUSTER may be


def test_the_limit_of_a_refresh_has_to_be_below_the_queue_s() -> None:
    assert told(timedelta(seconds=60), timeout=60, retry=120) == ["seeder.E009"]
    assert told(timedelta(seconds=59), timeout=60, retry=120) == []


def test_a_queue_without_a_time_limit_needs_no_room_for_it() -> None:
    assert told(timedelta(days=9), timeout=None, guard_cycle=0.3) == []


def test_the_queue_s_own_defaults_are_told_apart_from_ours() -> None:
    assert [
        fault.check_id
        for fault in queue_settings_problems({}, statement_timeout=timedelta(), uses_connection_pool=True)
    ] == [
        "seeder.W011",
        "seeder.W012",
        "seeder.W013",
        "seeder.E014",
    ]
