"""The statistics of refreshes in the server."""

from collections.abc import Callable, Iterator

import pytest
from django.db import Error
from django.db.transaction import atomic

from seeder.domain.refresh_costs import StatementCost, backend_cost_delta, statement_cost_delta
from seeder.domain.view_names import ViewName
from seeder.postgres import refresh_cost_queries, sessions, transactions, view_statements
from seeder.postgres.named_statements import STATEMENTS
from tests.conftest import another_session, need_statements, server_major_version, sql

A = ViewName(schema="reporting", name="a")
# A role of every server without any privilege.
UNPRIVILEGED_ROLE = "pg_signal_backend"


@pytest.fixture(autouse=True)
def statements(bare_database: None) -> Iterator[None]:
    """A view, and pg_stat_statements without an entry for this database."""
    need_statements()
    sql("DROP EXTENSION IF EXISTS pg_stat_statements")
    sql("CREATE EXTENSION pg_stat_statements SCHEMA public")
    reset_statistics()
    sql("CREATE SCHEMA reporting")
    sql("CREATE MATERIALIZED VIEW reporting.a AS SELECT n, repeat('a', 100) AS t FROM generate_series(1, 1000) AS n")
    sql("CREATE UNIQUE INDEX ON reporting.a (n)")
    yield
    sql("RESET ROLE")
    sql("DROP EXTENSION IF EXISTS pg_stat_statements")
    sql("CREATE EXTENSION pg_stat_statements SCHEMA public")


def reset_statistics() -> None:
    sql("SELECT pg_stat_statements_reset(0, oid, 0) FROM pg_database WHERE datname = current_database()")


def refresh(*, concurrently: bool = False) -> None:
    sessions.query("default", view_statements.refresh_materialized_view(A, concurrently=concurrently))


def statement_costs(database: str = "default") -> refresh_cost_queries.StatementCosts | None:
    source = refresh_cost_queries.find_cost_source(database)
    return None if source is None else refresh_cost_queries.statement_costs(database, source)


def cost(*, concurrently: bool = False) -> StatementCost | None:
    current = statement_costs()
    assert current is not None
    return current.get((A, concurrently))


def test_refresh_is_counted_once_by_its_mode() -> None:
    assert statement_costs() == {}
    refresh()
    first = cost()
    refresh(concurrently=True)
    refresh()
    difference = statement_cost_delta(first, cost())
    assert first
    assert difference
    assert (first.calls, difference.calls, difference.rows) == (1, 1, 1000)
    assert difference.total_exec_time > 0
    assert difference.shared_blocks_dirtied > 0
    assert difference.wal_bytes > 100_000
    concurrent = cost(concurrently=True)
    assert concurrent
    assert concurrent.calls == 1


def test_refresh_in_another_spelling_counts_for_the_same_view() -> None:
    sql("refresh materialized view concurrently reporting.a;")
    sql("/* nightly */ REFRESH MATERIALIZED VIEW CONCURRENTLY Reporting.A")
    refresh(concurrently=True)
    current = cost(concurrently=True)
    assert current
    assert current.calls == 3
    assert cost() is None


def test_failed_refresh_is_not_counted_and_a_rolled_back_one_is() -> None:
    sql("DROP INDEX reporting.a_n_idx")
    assert isinstance(transactions.attempt("default", lambda: refresh(concurrently=True)), Error)
    assert cost(concurrently=True) is None
    with transactions.rolled_back_atomic("default"):
        refresh()
    rolled_back = cost()
    assert rolled_back
    assert rolled_back.calls == 1


def test_refreshes_of_other_roles_and_databases_are_not_counted() -> None:
    sql("CREATE SCHEMA reporting", using="archive")
    sql("CREATE MATERIALIZED VIEW reporting.a AS SELECT 1 AS n", using="archive")
    sql("REFRESH MATERIALIZED VIEW reporting.a", using="archive")
    sql(f"ALTER MATERIALIZED VIEW reporting.a OWNER TO {UNPRIVILEGED_ROLE}")
    sql(f"GRANT USAGE, CREATE ON SCHEMA reporting TO {UNPRIVILEGED_ROLE}")
    with another_session() as other_session:
        other_session.execute(f"SET ROLE {UNPRIVILEGED_ROLE}")
        other_session.execute("REFRESH MATERIALIZED VIEW reporting.a")
    assert statement_costs() == {}


def test_refresh_inside_a_function_is_not_counted() -> None:
    sql("SET pg_stat_statements.track = 'all'")
    sql("DO 'BEGIN REFRESH MATERIALIZED VIEW reporting.a; END'")
    assert cost() is None
    sql("RESET pg_stat_statements.track")


def test_extension_may_be_in_any_schema() -> None:
    sql('CREATE SCHEMA "Odd {place}"')
    sql('ALTER EXTENSION pg_stat_statements SET SCHEMA "Odd {place}"')
    refresh()
    current = cost()
    assert current
    assert current.calls == 1


def test_costs_without_the_extension_are_unknown() -> None:
    sql("DROP EXTENSION pg_stat_statements")
    assert statement_costs() is None


def test_costs_without_privilege_are_unknown() -> None:
    sql("REVOKE SELECT ON pg_stat_statements FROM PUBLIC")
    sql(f"SET ROLE {UNPRIVILEGED_ROLE}")
    assert statement_costs() is None


def test_costs_of_an_older_extension_are_read_if_possible() -> None:
    sql("DROP EXTENSION pg_stat_statements")
    sql("CREATE EXTENSION pg_stat_statements SCHEMA public VERSION '1.8'")
    refresh()
    current = cost()
    assert current
    assert current.calls == 1
    sql("DROP EXTENSION pg_stat_statements")
    sql("CREATE EXTENSION pg_stat_statements SCHEMA public VERSION '1.7'")
    assert statement_costs() is None


def test_failing_cost_query_does_not_abort_the_transaction(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(STATEMENTS, "statement_statistics_schema", "SELECT 'no such schema', true")
    with atomic(durable=True):
        refresh()
        assert statement_costs() is None
        assert sql("SELECT 1") == [(1,)]


@pytest.mark.parametrize("read_costs", [statement_costs, refresh_cost_queries.backend_costs])
def test_costs_on_a_lost_connection_are_unknown(read_costs: Callable[[str], object]) -> None:
    if read_costs is refresh_cost_queries.backend_costs and server_major_version() < 18:
        pytest.skip("costs of a backend need PostgreSQL 18")
    [(pid,)] = sql("SELECT pg_backend_pid()")
    with another_session() as other_session:
        other_session.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
    assert read_costs("default") is None
    sessions.discard_if_broken("default")


def test_backend_cost_is_known_after_the_transaction() -> None:
    if sessions.driver_connection("default").info.server_version < 180000:
        assert refresh_cost_queries.backend_costs("default") is None
        return
    first = refresh_cost_queries.backend_costs("default")
    with atomic(durable=True):
        refresh()
        assert refresh_cost_queries.backend_costs("default") is None, "not visible in the transaction"
    second = refresh_cost_queries.backend_costs("default")
    difference = backend_cost_delta(first, second)
    assert difference
    assert difference.write_bytes > 100_000
    assert difference.wal_bytes > 100_000
    idle = backend_cost_delta(second, refresh_cost_queries.backend_costs("default"))
    assert idle
    assert (idle.write_bytes, idle.wal_bytes) == (0, 0)


def test_backend_cost_includes_reads() -> None:
    if sessions.driver_connection("default").info.server_version < 180000:
        pytest.skip("reads of a backend need PostgreSQL 18")
    before = refresh_cost_queries.backend_costs("default")
    sql("CREATE TEMPORARY TABLE much AS SELECT repeat('a', 1000) AS t FROM generate_series(1, 20000)")
    sql("SELECT count(t) FROM much")  # exceeds temp_buffers (8 MB), so it is written and read again
    difference = backend_cost_delta(before, refresh_cost_queries.backend_costs("default"))
    assert difference
    assert difference.read_bytes > 1_000_000
