from dataclasses import replace

import pytest

from seeder.domain.monitoring.health_status import ComponentStatus, Health, Readiness

WELL = Health(
    settings=ComponentStatus.OK,
    database=ComponentStatus.OK,
    tables=ComponentStatus.OK,
    privileges=ComponentStatus.OK,
    queue=ComponentStatus.OK,
    workers=ComponentStatus.IDLE,
    breaker=ComponentStatus.CLOSED,
)


@pytest.mark.parametrize("name", ["settings", "database", "tables", "privileges", "queue"])
def test_what_a_refresh_needs_has_to_be_known_to_be_well(name: str) -> None:
    assert WELL.readiness is Readiness.READY
    for word in (ComponentStatus.UNKNOWN, ComponentStatus.INVALID, ComponentStatus.MISSING):
        assert replace(WELL, **{name: word}).readiness is Readiness.NOT_READY


def test_what_mends_itself_only_degrades() -> None:
    assert replace(WELL, breaker=ComponentStatus.OPEN).readiness is Readiness.DEGRADED
    assert replace(WELL, workers=ComponentStatus.STALLED).readiness is Readiness.DEGRADED
    assert replace(WELL, other_databases=ComponentStatus.UNREACHABLE).readiness is Readiness.DEGRADED


def test_what_need_not_be_there_may_be_absent() -> None:
    assert (
        replace(
            WELL, queue=ComponentStatus.ABSENT, workers=ComponentStatus.ABSENT, breaker=ComponentStatus.UNKNOWN
        ).readiness
        is Readiness.READY
    )
