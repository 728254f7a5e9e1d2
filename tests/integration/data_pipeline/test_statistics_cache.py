"""The cache of statistics never holds rows of an earlier refresh, and its failure fails no request.

DATA_PIPELINE_CACHE_REFRESHES is the number of refreshes while readers use the cache.
"""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

import pytest
from django.core.cache import caches
from django.core.cache.backends.locmem import LocMemCache
from django.core.management import call_command
from django.db import connections
from pytest_django import Settings

from data_pipeline.domain.stats_queries import StatsQuery
from data_pipeline.postgres import statistics
from data_pipeline.services.stats import cache
from data_pipeline.services.stats.cache import RowCache, key_of, redis_cache, row_cache
from data_pipeline.statistics_settings import StatisticsSettings
from tests.conftest import another_session, create_custom_manifest, sql
from tests.integration.data_pipeline.stats_scene import load, read, refresh, rows
from tests.polling import eventually
from tests.redis_server import redis_server

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("counted")]
REFRESHES = int(os.environ.get("DATA_PIPELINE_CACHE_REFRESHES", "10"))
PLAIN, CONCURRENT = (
    "REFRESH MATERIALIZED VIEW reporting.mat_n",
    "REFRESH MATERIALIZED VIEW CONCURRENTLY reporting.mat_n",
)
IS_BLOCKED = "SELECT true FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%%LIMIT 0%%'"


@pytest.fixture
def counted(load_tables: None, settings: Settings) -> Iterator[None]:
    """A materialized view of one number, which each load raises, and a cache in this process."""
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    caches["default"].clear()
    views = {"n": "reporting.mat_n", "live": "landing.numbers", "plain": "landing.v"}
    settings.DATA_PIPELINE = {**settings.DATA_PIPELINE, "STATS_ENABLE_CACHE": True, "STATS_VIEWS": views}
    sql("CREATE TABLE landing.numbers (n integer); INSERT INTO landing.numbers VALUES (0)")
    sql("CREATE VIEW landing.v AS TABLE landing.numbers")
    create_custom_manifest("reporting.mat_n", "SELECT n FROM landing.numbers")
    refresh()
    sql("CREATE UNIQUE INDEX ON reporting.mat_n (n)")
    yield
    cache._row_cache.cache_clear()
    redis_cache.cache_clear()


def raise_number(number: int) -> None:
    load(number, "UPDATE landing.numbers SET n = n + 1", table="numbers")


@pytest.fixture
def fetched(monkeypatch: pytest.MonkeyPatch) -> list[StatsQuery]:
    """The queries that were sent to the database."""
    sent: list[StatsQuery] = []
    fetch = statistics.read_rows

    def counting(database: str, relation: Any, columns: Any, query: StatsQuery) -> Any:
        sent.append(query)
        return fetch(database, relation, columns, query)

    monkeypatch.setattr(statistics, "read_rows", counting)
    return sent


def test_second_answer_is_from_the_cache(fetched: list[StatsQuery]) -> None:
    assert (rows("n"), rows("n"), len(fetched)) == ([[0]], [[0]], 1)


def test_filters_pages_and_agencies_are_cached_apart(fetched: list[StatsQuery], settings: Settings) -> None:
    settings.DATA_PIPELINE = {**settings.DATA_PIPELINE, "STATS_VIEWS": {"n": "reporting.mat_a"}}
    sql("CREATE MATERIALIZED VIEW reporting.mat_a AS SELECT 'demo' AS agency_slug, 0 AS n")
    assert (rows("n"), rows("n", {"n": "1"}), rows("n", agencies=["metro"])) == ([["demo", 0]], [], [])
    assert (rows("n", offset=100), rows("n", agencies=["demo"]), len(fetched)) == ([], [["demo", 0]], 5)


@pytest.mark.parametrize("statement", [PLAIN, CONCURRENT])
def test_refresh_by_hand_replaces_cached_rows(statement: str) -> None:
    assert rows("n") == [[0]]
    raise_number(1)
    assert rows("n") == [[0]]
    sql(statement)
    assert rows("n") == [[1]]


def test_cached_answer_has_the_number_of_newer_loads() -> None:
    read("n")
    raise_number(1)
    [table] = read("n").read.as_of.tables
    assert (table.load_id, table.newer_loads) == (None, 1)


def test_view_that_is_created_anew_has_no_cached_rows() -> None:
    assert rows("n") == [[0]]
    sql("DROP MATERIALIZED VIEW reporting.mat_n; CREATE MATERIALIZED VIEW reporting.mat_n AS SELECT 7 AS n")
    assert rows("n") == [[7]]


def test_rows_of_tables_and_plain_views_are_not_cached(fetched: list[StatsQuery]) -> None:
    for name in ("live", "plain"):
        assert (rows(name), rows(name)) == ([[0]], [[0]])
    assert len(fetched) == 4


def test_without_the_setting_nothing_is_cached(fetched: list[StatsQuery], settings: Settings) -> None:
    settings.DATA_PIPELINE = {**settings.DATA_PIPELINE, "STATS_ENABLE_CACHE": False}
    assert (rows("n"), rows("n"), len(fetched)) == ([[0]], [[0]], 2)


class InterruptedCache(LocMemCache):
    """Runs something between the key and the read, and between the read and the write."""

    def __init__(self) -> None:
        super().__init__("interrupted", {})
        self.before_read: Callable[[], object] = lambda: None
        self.before_write: Callable[[], object] = lambda: None

    def get(self, *arguments: Any, **options: Any) -> Any:
        found = super().get(*arguments, **options)
        self.before_read()
        return found

    def set(self, *arguments: Any, **options: Any) -> None:
        self.before_write()
        super().set(*arguments, **options)


@pytest.fixture
def interrupted(monkeypatch: pytest.MonkeyPatch) -> Iterator[InterruptedCache]:
    interrupted = InterruptedCache()
    monkeypatch.setattr(cache, "row_cache", lambda _: RowCache(lambda: interrupted))
    yield interrupted
    interrupted.clear()


def once(action: Callable[[], object]) -> Callable[[], None]:
    actions = [action]
    return lambda: actions and actions.pop()()  # type: ignore[return-value]  # a callback


@pytest.mark.parametrize("statement", [PLAIN, CONCURRENT])
@pytest.mark.parametrize("answers_before", [0, 1])
def test_refresh_between_key_and_read_is_in_the_answer(
    statement: str, answers_before: int, interrupted: InterruptedCache
) -> None:
    for _ in range(answers_before):
        read("n")
    raise_number(1)
    interrupted.before_read = once(lambda: sql(statement))
    assert (rows("n"), rows("n")) == ([[1]], [[1]])


@pytest.mark.parametrize("statement", [PLAIN, CONCURRENT])
def test_refresh_between_read_and_write_is_in_the_next_answer(statement: str, interrupted: InterruptedCache) -> None:
    raise_number(1)
    interrupted.before_write = once(lambda: sql(statement))
    assert (rows("n"), rows("n")) == ([[0]], [[1]])


def test_refresh_that_a_read_waits_for_is_in_its_rows_and_its_loads() -> None:
    """The snapshot of the read is older than the refresh, but a refresh replaces rows for every snapshot."""
    raise_number(1)
    with another_session() as other, another_session() as watcher, ThreadPoolExecutor(1) as thread:
        other.execute(f"BEGIN; {PLAIN}")
        other.execute(
            "INSERT INTO reporting.seeder_run_history (run_id, manifest_id, table_name, report_name, agency_id,"
            " agency_slug, report_type, status, start_time, finish_time) VALUES ('r', 1, 'reporting.mat_n', '', 1, '',"
            " 'custom', 'success', clock_timestamp(), clock_timestamp())"
        )
        answer = thread.submit(in_own_connection(lambda: read("n").read))
        eventually(lambda: watcher.execute(IS_BLOCKED.replace("%%", "%")).fetchone())
        other.execute("COMMIT")
        found = answer.result(60)
    assert [list(row) for row in found.rows] == [[1]]
    [table] = found.as_of.tables
    assert (table.load_id, table.newer_loads) == (1, 0)


def in_own_connection(action: Callable[[], Any]) -> Callable[[], Any]:
    def run() -> Any:
        try:
            return action()
        finally:
            connections.close_all()

    return run


def test_answers_are_never_older_than_a_refresh_before_their_request() -> None:
    """Readers and concurrent refreshes run at once. Rows and loads of an answer belong to the same refresh."""
    refreshed, stop = [0], Event()

    def read_until_stopped() -> None:
        while not stop.is_set():
            at_least = refreshed[0]
            found = read("n").read
            [[number]] = found.rows
            assert number >= at_least
            [table] = found.as_of.tables
            assert table.load_id == number

    raise_number(1)
    refresh()
    with ThreadPoolExecutor(3) as threads:
        readers = [threads.submit(in_own_connection(read_until_stopped)) for _ in range(3)]
        try:
            for number in range(2, REFRESHES + 2):
                assert rows("n") == [[number - 1]]
                raise_number(number)
                refresh()
                refreshed[0] = number
        finally:
            stop.set()
        for reader in readers:
            reader.result(60)


def events(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.message for record in caplog.records if record.name == "data_pipeline"]


class BrokenCache(LocMemCache):
    def __init__(self) -> None:
        super().__init__("broken", {})
        self.calls = 0

    def get(self, *_: Any, **__: Any) -> Any:
        self.calls += 1
        raise ConnectionError("redis://user:secret@cache refused")


def test_broken_cache_fails_no_request_and_is_logged_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    seconds, broken, working = [0.0], BrokenCache(), LocMemCache("working", {})
    used: list[LocMemCache] = [broken]
    rows_cache = RowCache(lambda: used[0], clock=lambda: seconds[0])
    monkeypatch.setattr(cache, "row_cache", lambda _: rows_cache)
    with caplog.at_level("INFO", logger="data_pipeline"):
        assert (rows("n"), rows("n"), broken.calls) == ([[0]], [[0]], 1)
        seconds[0] = 30.0
        assert (rows("n"), broken.calls) == ([[0]], 2)
        assert events(caplog) == ["statistics_cache.failed error=ConnectionError"]
        seconds[0], used[0] = 60.0, working
        assert rows("n") == [[0]]
    assert events(caplog)[1:] == ["statistics_cache.recovered"]


def test_cache_in_the_database_is_used_outside_of_the_read_only_transaction(
    settings: Settings, fetched: list[StatsQuery]
) -> None:
    settings.CACHES = {"rows": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "landing_cache"}}
    settings.DATA_PIPELINE = {**settings.DATA_PIPELINE, "STATS_CACHE_ALIAS": "rows"}
    call_command("createcachetable", verbosity=0)
    try:
        assert (rows("n"), rows("n"), len(fetched)) == ([[0]], [[0]], 1)
        raise_number(1)
        refresh()
        assert rows("n") == [[1]]
    finally:
        sql("DROP TABLE landing_cache")


def test_redis_keeps_rows_and_may_stop_and_start(
    settings: Settings, fetched: list[StatsQuery], caplog: pytest.LogCaptureFixture
) -> None:
    with redis_server() as url:
        settings.DATA_PIPELINE = {**settings.DATA_PIPELINE, "CACHE_REDIS_URL": url, "CACHE_NAMESPACE": "demo:"}
        assert (rows("n"), rows("n"), len(fetched)) == ([[0]], [[0]], 1)
        client = redis_cache(url)._cache.get_client()  # type: ignore[attr-defined]  # of the Redis backend
        [key] = client.keys()
        assert (key.startswith(b":1:demo:stats:"), client.get(key)) == (True, b"[[0]]")
        assert 0 < client.ttl(key) <= 300
        raise_number(1)
        refresh()
        assert rows("n") == [[1]]
    with caplog.at_level("INFO", logger="data_pipeline"):
        assert rows("n") == [[1]]
    assert events(caplog) == ["statistics_cache.failed error=ConnectionError"]


def test_redis_of_the_host_is_used_without_one_for_the_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    used: list[str] = []

    def remember(url: str) -> LocMemCache:
        used.append(url)
        return LocMemCache("redis", {})

    monkeypatch.setattr(cache, "redis_cache", remember)
    for settings in (
        StatisticsSettings(stats_enable_cache=True, redis_url="redis://host"),
        StatisticsSettings(stats_enable_cache=True, redis_url="redis://host", cache_redis_url="redis://cache"),
    ):
        found = row_cache(settings)
        assert found is not None
        found.get("key")
    assert used == ["redis://host", "redis://cache"]


def test_address_of_redis_is_not_shown() -> None:
    assert "secret" not in repr(StatisticsSettings(cache_redis_url="redis://:secret@cache"))


def test_key_begins_with_both_namespaces() -> None:
    settings = StatisticsSettings(cache_namespace="eu:", stats_cache_namespace="s:")
    assert key_of(settings, {"a": "1"}).startswith("eu:s:")
    assert key_of(settings, {"a": "1"}) != key_of(settings, {"a": "2"})
