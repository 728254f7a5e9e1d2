from dataclasses import replace

import pytest

from seeder.domain.health import Health, State, Word

WELL = Health(
    settings=Word.OK,
    database=Word.OK,
    tables=Word.OK,
    privileges=Word.OK,
    queue=Word.OK,
    workers=Word.IDLE,
    breaker=Word.CLOSED,
)


@pytest.mark.parametrize("name", ["settings", "database", "tables", "privileges", "queue"])
def test_what_a_refresh_needs_has_to_be_known_to_be_well(name: str) -> None:
    assert WELL.state is State.READY
    for word in (Word.UNKNOWN, Word.WRONG, Word.MISSING):
        assert replace(WELL, **{name: word}).state is State.NOT_READY


def test_what_mends_itself_only_degrades() -> None:
    assert replace(WELL, breaker=Word.OPEN).state is State.DEGRADED
    assert replace(WELL, workers=Word.SILENT).state is State.DEGRADED
    assert replace(WELL, other_databases=Word.UNREACHABLE).state is State.DEGRADED


def test_what_need_not_be_there_may_be_absent() -> None:
    assert replace(WELL, queue=Word.ABSENT, workers=Word.ABSENT, breaker=Word.UNKNOWN).state is State.READY
