from datetime import timedelta

import pytest

from seeder.domain.queue.queue_settings_rules import queue_settings_problems
from settings.base import Q_CLUSTER


def check_ids(
    statement_timeout: timedelta = timedelta(), *, uses_connection_pool: bool = False, **overrides: object
) -> list[str]:
    return [
        problem.check_id
        for problem in queue_settings_problems(
            {**Q_CLUSTER, **overrides}, statement_timeout=statement_timeout, uses_connection_pool=uses_connection_pool
        )
    ]


def test_settings_of_the_host_have_no_problem() -> None:
    assert check_ids() == []


@pytest.mark.parametrize(
    ("overrides", "problem"),
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
def test_wrong_setting_is_reported(overrides: dict[str, object], problem: str) -> None:
    assert check_ids(**overrides) == [problem]  # type: ignore[arg-type]  # like Q_CLUSTER, a value may have any type


def test_statement_timeout_must_be_below_the_queue_timeout() -> None:
    assert check_ids(timedelta(seconds=60), timeout=60, retry=120) == ["seeder.E009"]
    assert check_ids(timedelta(seconds=59), timeout=60, retry=120) == []


def test_queue_without_timeout_sets_no_limit() -> None:
    assert check_ids(timedelta(days=9), timeout=None, guard_cycle=0.3) == []


def test_defaults_of_the_queue_are_reported() -> None:
    assert [
        problem.check_id
        for problem in queue_settings_problems({}, statement_timeout=timedelta(), uses_connection_pool=True)
    ] == [
        "seeder.W011",
        "seeder.W012",
        "seeder.W013",
        "seeder.E014",
    ]
