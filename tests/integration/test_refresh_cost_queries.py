"""What the server counts of our refreshes."""

from collections.abc import Callable, Iterator

import pytest
from django.db import Error

from seeder.domain.refresh_costs import StatementCost, backend_cost_delta, statement_cost_delta
from seeder.domain.view_names import ViewName
from seeder.postgres import identifiers, refresh_cost_queries, sessions, transactions
from seeder.postgres.named_statements import STATEMENTS
from tests.conftest import another_session, need_statements, server_major_version, sql

A = ViewName(schema="reporting", name="a")
# Somebody whom nobody has granted anything, on every server.
NOBODY = "pg_signal_backend"


@pytest.fixture(autouse=True)
def statements(bare_database: None) -> Iterator[None]:
    """A view, and pg_stat_statements where it usually is, without an entry for this database."""
    need_statements()
    sql("DROP EXTENSION IF EXISTS pg_stat_statements")
    sql("CREATE EXTENSION pg_stat_statements SCHEMA public")
    forget()
    sql("CREATE SCHEMA reporting")
    sql("CREATE MATERIALIZED VIEW reporting.a AS SELECT n, repeat('a', 100) AS t FROM generate_series(1, 1000) AS n")
    sql("CREATE UNIQUE INDEX ON reporting.a (n)")
    yield
    sql("RESET ROLE")
    sql("DROP EXTENSION IF EXISTS pg_stat_statements")
    sql("CREATE EXTENSION pg_stat_statements SCHEMA public")


def forget() -> None:
    sql("SELECT pg_stat_statements_reset(0, oid, 0) FROM pg_database WHERE datname = current_database()")


def refresh(*, concurrently: bool = False) -> None:
    sessions.execute("default", identifiers.refresh_materialized_view(A, concurrently=concurrently))


def cost(*, concurrently: bool = False) -> StatementCost | None:
    known = refresh_cost_queries.statement_costs("default")
    assert known is not None
    return known.get((A, concurrently))


def test_a_refresh_is_counted_exactly_once_and_by_its_mode() -> None:
    assert refresh_cost_queries.statement_costs("default") == {}
    refresh()
    first = cost()
    refresh(concurrently=True)
    refresh()
    one = statement_cost_delta(first, cost())
    assert first
    assert one
    assert (first.calls, one.calls, one.rows) == (1, 1, 1000)
    assert one.total_exec_time.total_seconds() > 0
    assert one.shared_blocks_dirtied > 0
    assert one.wal_bytes > 100_000
    concurrent = cost(concurrently=True)
    assert concurrent
    assert concurrent.calls == 1


def test_somebody_else_s_spelling_is_the_same_view() -> None:
    sql("refresh materialized view concurrently reporting.a;")
    sql("/* nightly */ REFRESH MATERIALIZED VIEW CONCURRENTLY Reporting.A")
    refresh(concurrently=True)
    known = cost(concurrently=True)
    assert known
    assert known.calls == 3
    assert cost() is None


def test_a_refresh_that_failed_is_not_counted_and_one_that_was_undone_is() -> None:
    sql("DROP INDEX reporting.a_n_idx")
    assert isinstance(transactions.attempt("default", lambda: refresh(concurrently=True)), Error)
    assert cost(concurrently=True) is None
    with transactions.rolled_back_transaction("default"):
        refresh()
    undone = cost()
    assert undone
    assert undone.calls == 1


def test_what_others_or_other_databases_refresh_is_theirs() -> None:
    sql("CREATE SCHEMA reporting", using="archive")
    sql("CREATE MATERIALIZED VIEW reporting.a AS SELECT 1 AS n", using="archive")
    sql("REFRESH MATERIALIZED VIEW reporting.a", using="archive")
    sql(f"ALTER MATERIALIZED VIEW reporting.a OWNER TO {NOBODY}")
    sql(f"GRANT USAGE, CREATE ON SCHEMA reporting TO {NOBODY}")
    with another_session() as other:
        other.execute(f"SET ROLE {NOBODY}")
        other.execute("REFRESH MATERIALIZED VIEW reporting.a")
    assert refresh_cost_queries.statement_costs("default") == {}


def test_a_refresh_that_a_function_sent_is_not_one_of_ours() -> None:
    sql("SET pg_stat_statements.track = 'all'")
    sql("DO 'BEGIN REFRESH MATERIALIZED VIEW reporting.a; END'")
    assert cost() is None
    sql("RESET pg_stat_statements.track")


def test_the_extension_may_live_in_any_schema() -> None:
    sql('CREATE SCHEMA "Odd {place}"')
    sql('ALTER EXTENSION pg_stat_statements SET SCHEMA "Odd {place}"')
    refresh()
    known = cost()
    assert known
    assert known.calls == 1


def test_without_the_extension_nothing_is_known() -> None:
    sql("DROP EXTENSION pg_stat_statements")
    assert refresh_cost_queries.statement_costs("default") is None


def test_an_extension_that_is_not_for_us_to_read_is_as_good_as_none() -> None:
    sql("REVOKE SELECT ON pg_stat_statements FROM PUBLIC")
    sql(f"SET ROLE {NOBODY}")
    assert refresh_cost_queries.statement_costs("default") is None


def test_an_older_version_of_the_extension_is_read_as_far_as_it_goes() -> None:
    sql("DROP EXTENSION pg_stat_statements")
    sql("CREATE EXTENSION pg_stat_statements SCHEMA public VERSION '1.8'")
    refresh()
    known = cost()
    assert known
    assert known.calls == 1
    sql("DROP EXTENSION pg_stat_statements")
    sql("CREATE EXTENSION pg_stat_statements SCHEMA public VERSION '1.7'")
    assert refresh_cost_queries.statement_costs("default") is None


def test_a_server_that_refuses_after_all_breaks_no_transaction(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(STATEMENTS, "statement_statistics_schema", "SELECT 'no such schema', true")
    with transactions.durable_transaction("default"):
        refresh()
        assert refresh_cost_queries.statement_costs("default") is None
        assert sql("SELECT 1") == [(1,)]


@pytest.mark.parametrize("ask", [refresh_cost_queries.statement_costs, refresh_cost_queries.backend_costs])
def test_a_connection_that_is_gone_knows_nothing(ask: Callable[[str], object]) -> None:
    if ask is refresh_cost_queries.backend_costs and server_major_version() < 18:
        pytest.skip("that a backend is asked what it cost needs PostgreSQL 18")
    [(pid,)] = sql("SELECT pg_backend_pid()")
    with another_session() as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
    assert ask("default") is None
    sessions.discard_if_broken("default")


def test_a_backend_knows_what_a_transaction_has_written_as_soon_as_it_has_ended() -> None:
    if sessions.driver_connection("default").info.server_version < 180000:
        assert refresh_cost_queries.backend_costs("default") is None
        return
    before = refresh_cost_queries.backend_costs("default")
    with transactions.durable_transaction("default"):
        refresh()
        assert refresh_cost_queries.backend_costs("default") is None  # the figures of now are not to be had
    after = refresh_cost_queries.backend_costs("default")
    one = backend_cost_delta(before, after)
    assert one
    assert one.write_bytes > 100_000
    assert one.wal_bytes > 100_000
    idle = backend_cost_delta(after, refresh_cost_queries.backend_costs("default"))
    assert idle
    assert (idle.write_bytes, idle.wal_bytes) == (0, 0)


def test_a_backend_knows_what_it_has_read() -> None:
    if sessions.driver_connection("default").info.server_version < 180000:
        pytest.skip("that a backend counts its reads needs PostgreSQL 18")
    before = refresh_cost_queries.backend_costs("default")
    sql("CREATE TEMPORARY TABLE much AS SELECT repeat('a', 1000) AS t FROM generate_series(1, 20000)")
    sql("SELECT count(t) FROM much")  # more than temp_buffers (8 MB) hold was written out and is read again
    read = backend_cost_delta(before, refresh_cost_queries.backend_costs("default"))
    assert read
    assert read.read_bytes > 1_000_000
