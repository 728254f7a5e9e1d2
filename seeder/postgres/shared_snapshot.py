"""A database snapshot that several sessions share."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime

from psycopg import sql

from seeder.domain.snapshots.snapshot_contents import ViewColumn
from seeder.domain.view_names import ViewName
from seeder.errors import NeverFilled, NotAView, ViewMissing
from seeder.postgres import catalog, sessions, transactions, view_statements
from seeder.postgres.named_statements import STATEMENTS


class ViewReplaced(Exception):
    """Another view has the name since the snapshot was taken, so the snapshot sees no or only some of its rows."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SharedSnapshot:
    """A snapshot in which a view is locked, and the shape of that view."""

    id: str  # for other sessions
    taken_at: datetime
    definition: str  # as this server prints it
    server_version: int
    columns: tuple[ViewColumn, ...]


@contextmanager
def snapshot_transaction(
    database: str, parameters: Mapping[str, object], *, snapshot_id: str | None = None
) -> Iterator[None]:
    """Run the block in a transaction with one snapshot, either its own or one of another session."""
    begin_statement = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;"
    with transactions.BatchedTransaction(database, begin_statement=begin_statement) as transaction:
        transaction.begin((), {})
        if snapshot_id is not None:
            sessions.query(database, sql.SQL("SET TRANSACTION SNAPSHOT {}").format(sql.Literal(snapshot_id)))
        settings = "pin_transactions", "set_stable_output", "limit_memory"
        sessions.query_batch(database, [STATEMENTS[name] for name in settings], parameters)
        # Afterwards, because apply_limits returns a time, which psycopg parses by the new DateStyle.
        sessions.query(database, STATEMENTS["apply_limits"], parameters)
        yield


def lock_and_export(database: str, view: ViewName) -> SharedSnapshot:
    """Lock a view until the end of a `snapshot_transaction`, and export its snapshot.

    Lock the view first: every transaction, even an older one, sees the result of a plain REFRESH. Otherwise two
    sessions could see two versions of the view.

    Raises `ViewMissing`, `NotAView` or `NeverFilled`. Raises `ViewReplaced` if the view was dropped and created again
    while this waited for the lock: a new snapshot sees the new view.
    """
    state = catalog.relation_state(database, view)
    if state is None:
        raise ViewMissing(view=view, alias=database)
    relkind, is_populated = state
    if relkind != "m":
        raise NotAView(view=view, alias=database)
    if not is_populated:
        raise NeverFilled(view=view)
    sessions.query(database, sql.SQL("SELECT FROM {} LIMIT 0").format(view_statements.view_identifier(view)))
    if sessions.query(database, STATEMENTS["replaced_view"], asdict(view)):
        raise ViewReplaced
    # Printing a definition locks everything that the query reads. The rollback releases that, so loads can go on.
    # Savepoints prevent the export of a snapshot, so it is exported afterwards.
    statements = "SAVEPOINT seeder;", STATEMENTS["view_definition"], "ROLLBACK TO seeder; RELEASE seeder;"
    _, [(definition,)], *_ = sessions.query_batch(database, statements, asdict(view))
    [(snapshot_id, taken_at)] = sessions.query(database, STATEMENTS["export_snapshot"])
    return SharedSnapshot(
        id=snapshot_id,
        taken_at=taken_at,
        definition=definition,
        server_version=sessions.driver_connection(database).info.server_version,
        columns=catalog.view_columns(database, view),
    )
