from typing import Any

import pytest
from django.db import connections

from seeder.conf import Settings
from seeder.errors import ConfigurationError
from seeder.services.run.connection_pools import pool_warnings, workers_by_database

EIGHT = Settings(max_workers=8)


def give_pool(monkeypatch: pytest.MonkeyPatch, alias: str, pool: Any) -> None:
    monkeypatch.setitem(connections[alias].settings_dict, "OPTIONS", {"pool": pool})


@pytest.mark.parametrize(
    ("pool", "workers"),
    [
        (None, 8),
        ({}, 8),
        (False, 8),
        (True, 3),  # psycopg's default size is 4
        ({"min_size": 6}, 5),
        ({"max_size": 2}, 1),
        ({"max_size": 9}, 8),
        ({"max_size": 100}, 8),
    ],
)
def test_pool_limits_the_workers_of_its_database(pool: Any, workers: int, monkeypatch: pytest.MonkeyPatch) -> None:
    give_pool(monkeypatch, "archive", pool)
    found = workers_by_database(EIGHT, ["default", "archive"])
    assert found == {"default": 8, "archive": workers}
    assert len([*pool_warnings(EIGHT, found)]) == (workers < 8)


def test_warning_names_the_pool_and_both_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    give_pool(monkeypatch, "archive", {"max_size": 3})
    [warning] = pool_warnings(EIGHT, workers_by_database(EIGHT, ["archive"]))
    assert "DATABASES['archive'] has a connection pool of 3, so the run has 2 workers there instead of 8" in warning


def test_pool_without_a_connection_for_a_worker_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    give_pool(monkeypatch, "archive", {"min_size": 1, "max_size": None})
    with pytest.raises(ConfigurationError, match=r"DATABASES\['archive'\].* is 1, but must be at least 2"):
        workers_by_database(EIGHT, ["archive"])
