from dataclasses import replace

import pytest

from seeder.domain.monitoring.health_status import ComponentStatus, Health, Readiness

HEALTHY = Health(
    settings=ComponentStatus.OK,
    database=ComponentStatus.OK,
    tables=ComponentStatus.OK,
    privileges=ComponentStatus.OK,
    queue=ComponentStatus.OK,
    workers=ComponentStatus.IDLE,
    breaker=ComponentStatus.CLOSED,
)


@pytest.mark.parametrize("name", ["settings", "database", "tables", "privileges", "queue"])
def test_component_that_refreshes_need_must_be_ok_to_be_ready(name: str) -> None:
    assert HEALTHY.readiness is Readiness.READY
    for status in (ComponentStatus.UNKNOWN, ComponentStatus.INVALID, ComponentStatus.MISSING):
        assert replace(HEALTHY, **{name: status}).readiness is Readiness.NOT_READY


def test_problem_that_repairs_itself_only_degrades() -> None:
    assert replace(HEALTHY, breaker=ComponentStatus.OPEN).readiness is Readiness.DEGRADED
    assert replace(HEALTHY, freshness=ComponentStatus.LATE).readiness is Readiness.DEGRADED
    assert replace(HEALTHY, workers=ComponentStatus.STALLED).readiness is Readiness.DEGRADED
    assert replace(HEALTHY, other_databases=ComponentStatus.UNREACHABLE).readiness is Readiness.DEGRADED


def test_optional_component_may_be_absent() -> None:
    assert (
        replace(
            HEALTHY, queue=ComponentStatus.ABSENT, workers=ComponentStatus.ABSENT, breaker=ComponentStatus.UNKNOWN
        ).readiness
        is Readiness.READY
    )
