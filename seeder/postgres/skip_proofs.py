"""Observes what the contents of closed views depend on, for proofs that a refresh can be skipped."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict

from django.db import Error
from psycopg import sql

from seeder.domain.read_relations import ReadRelation, ReadRelations
from seeder.domain.skip_proof import RowVersions, SkipProof
from seeder.domain.view_names import ViewName
from seeder.postgres import sessions, view_statements
from seeder.postgres.catalog import name_lists
from seeder.postgres.named_statements import STATEMENTS
from seeder.postgres.transactions import SHORT_LOCK_TIMEOUT

_MAX_YOUNG = 10_000  # transactions of an input whose rows are counted by themselves


def find_read_relations(database: str, views: Collection[ViewName]) -> Mapping[ViewName, ReadRelations]:
    """Return what the materialized views among these read."""
    rows = sessions.query(database, STATEMENTS["proof_relations"], name_lists(views))
    found, oids = defaultdict[ViewName, list[ReadRelation]](list), dict[ViewName, int]()
    for view_schema, view_name, view_oid, oid, kind, schema, name, *others in rows:
        view = ViewName(schema=view_schema, name=view_name)
        oids[view] = view_oid
        found[view].append(ReadRelation(oid, kind, ViewName(schema=schema, name=name), *others))
    return {view: ReadRelations(view_oid=oids[view], relations=tuple(found[view])) for view in oids}


def begin_locked_snapshot(tables: Iterable[ReadRelation], *, timeout_ms: int = 0) -> sql.Composed:
    """Begin a transaction whose first statement takes its only snapshot, after the tables are locked.

    TRUNCATE and rewriting ALTER TABLE are not MVCC-safe, so the locks have to come first. It does not wait for them:
    then SQLSTATE 55P03 is raised.
    """
    begin = sql.SQL(
        "BEGIN ISOLATION LEVEL REPEATABLE READ;\n"
        "SET LOCAL statement_timeout = {};\n"
        "SET LOCAL idle_in_transaction_session_timeout = '30s';\n"
        "SET LOCAL synchronous_commit = 'on';\n"  # a lost commit, and with it the xids in a proof, would be used again
        f"{SHORT_LOCK_TIMEOUT}"
    ).format(timeout_ms)
    if names := [view_statements.view_identifier(one.name) for one in tables]:
        begin += sql.SQL("\nLOCK TABLE {} IN ACCESS SHARE MODE NOWAIT;").format(sql.SQL(", ").join(names))
    return begin


@contextmanager
def locked_snapshot(database: str, tables: Iterable[ReadRelation], *, timeout_ms: int = 0) -> Iterator[None]:
    """Run the block in such a transaction. Must not be called inside one."""
    try:
        sessions.query_batch(database, begin_locked_snapshot(tables, timeout_ms=timeout_ms))
        yield
    except BaseException:
        with suppress(Error):  # a lost session has no transaction any more
            sessions.query(database, "ROLLBACK;")
        raise
    sessions.query(database, "COMMIT;")


def observe_facts(database: str, reads: ReadRelations) -> SkipProof:
    """Observe everything but rows of a view that reads these relations, in a `locked_snapshot`.

    Return a proof without inputs. If it equals that of another snapshot, the view read these relations at both: its
    facts have the rules and partitions that decide what it reads.
    """
    parameters = {"view": reads.view_oid, "relations": sorted(reads.oids)}
    [(snapshot, server, storage, catalog, environment)] = sessions.query(
        database, STATEMENTS["proof_facts"], parameters
    )
    return SkipProof(
        snapshot=snapshot, server=server, view=storage, catalog=catalog, environment=environment, inputs={}
    )


def count_row_versions(database: str, relation: ReadRelation, *, since: int) -> RowVersions | None:
    """Count the visible rows of an input by the transactions that wrote them, from a boundary.

    It runs in a `locked_snapshot`, before its transaction writes. None if too many transactions wrote rows, or if the
    name means another relation by now.
    """
    identifier = view_statements.view_identifier(relation.name)
    # In this order: since the first statement, the relation cannot be renamed.
    statement = sql.SQL("{};\nSELECT to_regclass({})::oid::bigint;").format(
        _count_statement(identifier, since), identifier.as_string()
    )
    [(total, young_count)], [(oid,)] = sessions.query_batch(database, statement)
    young: dict[int, int] = {}
    if young_count:  # counting by transaction takes twice as long, and is rarely needed
        young = dict(sessions.query(database, _group_statement(identifier, since)))
    if oid != relation.oid or len(young) > _MAX_YOUNG:
        return None
    return RowVersions(name=str(relation.name), old=total - young_count, young=young)


def _is_young(since: int) -> sql.Composed:
    """Return the condition that a transaction from the boundary on wrote a row.

    Ages below zero are those of rows that were frozen more than two billion transactions ago. The boundary has 64 bits,
    because its text is no xid after the first four billion. It is a subquery, so that it is evaluated once. Old rows
    fail the first comparison, so that the second is rarely evaluated: 27 instead of 34 ms for 500,000 rows.
    """
    return sql.SQL("age(xmin) <= (SELECT age({}::xid8::xid)) AND age(xmin) >= -1000000").format(str(since))


def _count_statement(relation: sql.Identifier, since: int) -> sql.Composed:
    """Count the rows of a relation, and those that are younger than the boundary."""
    statement = sql.SQL("SELECT count(*), count(*) FILTER (WHERE {}) FROM {}")
    return statement.format(_is_young(since), relation)


def _group_statement(relation: sql.Identifier, since: int) -> sql.Composed:
    """Count the rows of each transaction that is younger than the boundary."""
    statement = sql.SQL("SELECT xmin::text::bigint, count(*) FROM {} WHERE {} GROUP BY xmin LIMIT {}")
    return statement.format(relation, _is_young(since), _MAX_YOUNG + 1)


def storage_of(database: str, view: ViewName) -> str | None:
    """Return the version of a view that a proof has. None if it does not exist."""
    rows = sessions.query(database, STATEMENTS["view_storage"], asdict(view))
    return rows[0][0] if rows else None


def read_relations(database: str) -> frozenset[int]:
    """Return the tables and views that this transaction has read until now."""
    return frozenset(oid for (oid,) in sessions.query(database, STATEMENTS["read_relations"]))
