"""A database snapshot that several sessions share."""

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Self

from psycopg import sql

from seeder.domain.snapshots.snapshot_contents import ViewColumn
from seeder.domain.view_names import ViewName
from seeder.postgres import catalog, sessions, transactions, view_statements
from seeder.postgres.named_statements import STATEMENTS


@dataclass(frozen=True, kw_only=True, slots=True)
class LockedRelation:
    """A relation that cannot change until the end of the transaction."""

    kind: str  # pg_class.relkind
    is_populated: bool
    definition: str  # as this server prints it; empty if it is not a view
    server_version: int
    columns: tuple[ViewColumn, ...] = ()

    @property
    def is_materialized(self) -> bool:
        return self.kind == "m"


class SharedSnapshot:
    """A transaction with one snapshot, inside a `with`, or one of another session that joins it.

    Lock the view first: every transaction, even an older one, sees the result of a plain REFRESH. Otherwise two
    sessions could see two versions of the view.
    """

    def __init__(
        self, database: str, parameters: Mapping[str, object], *, source: "SharedSnapshot | None" = None
    ) -> None:
        self._database, self._parameters, self._source = database, parameters, source
        self._transaction = transactions.BatchedTransaction(
            database, begin_statement="BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;"
        )
        self.snapshot_id: str | None = None
        self.taken_at: datetime

    def __enter__(self) -> Self:
        with ExitStack() as undo:
            undo.push(self.__exit__)
            self._transaction.begin((), {})
            if self._source is not None:
                snapshot = sql.SQL("SET TRANSACTION SNAPSHOT {}").format(sql.Literal(self._source.snapshot_id))
                sessions.execute(self._database, snapshot)
            # One by one, because apply_limits returns a time, which psycopg parses by the new DateStyle.
            sessions.query(self._database, STATEMENTS["set_stable_output"], self._parameters)
            sessions.query(self._database, STATEMENTS["apply_limits"], self._parameters)
            undo.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._transaction.__exit__(kind)

    def lock_view(self, view: ViewName) -> LockedRelation | None:
        """Lock a view until the end and return its shape, or None if no relation has that name."""
        database = self._database
        state = catalog.relation_state(database, view)
        if state is None:
            return None
        relkind, is_populated = state
        if relkind == "m" and is_populated:
            lock_statement = sql.SQL("SELECT FROM {} LIMIT 0").format(view_statements.view_identifier(view))
            sessions.execute(database, lock_statement)
        # Printing a definition locks everything that the query reads. The rollback releases that, so loads can go on.
        # Savepoints prevent the export of a snapshot, so it is exported afterwards.
        statements = "SAVEPOINT seeder;", STATEMENTS["view_definition"], "ROLLBACK TO seeder; RELEASE seeder;"
        _, [(definition,)], *_ = sessions.query_batch(database, statements, asdict(view))
        [(self.snapshot_id, self.taken_at)] = sessions.query(database, STATEMENTS["export_snapshot"])
        return LockedRelation(
            kind=relkind,
            is_populated=is_populated,
            definition=definition or "",
            server_version=sessions.driver_connection(database).info.server_version,
            columns=tuple(
                ViewColumn(name=name, type=column_type, nullable=nullable)
                for _, name, column_type, nullable in catalog.columns(database, [view])
            ),
        )
