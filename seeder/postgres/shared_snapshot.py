"""An instant of a database that several sessions see alike, in texts that do not depend on who asks."""

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from psycopg import sql

from seeder.domain.snapshots.snapshot_contents import ViewColumn
from seeder.domain.view_names import ViewName
from seeder.postgres import identifiers, sessions, transaction_limits, transactions


@dataclass(frozen=True, kw_only=True, slots=True)
class LockedRelation:
    """What stands under a name."""

    kind: str  # pg_class.relkind
    is_populated: bool
    definition: str  # as this server prints it; empty for what has none
    server_version: int
    columns: tuple[ViewColumn, ...] = ()

    @property
    def is_materialized(self) -> bool:
        return self.kind == "m"


class SharedSnapshot:
    """A transaction, inside a `with`, in which nothing changes; or that of another session joined to the same instant.

    A view is held there first: what a plain REFRESH puts in place is seen by every transaction, older ones too, so that
    two sessions would see two versions of a view that is refreshed between their first looks at it.
    """

    def __init__(
        self, database: str, parameters: Mapping[str, object], *, source: "SharedSnapshot | None" = None
    ) -> None:
        self._database, self._parameters, self._source = database, parameters, source
        self._transaction = transactions.BatchedTransaction(database, begin_statement="begin_snapshot")
        self.snapshot_id: str | None = None
        self.taken_at: datetime

    def __enter__(self) -> Self:
        with ExitStack() as undo:
            undo.push(self.__exit__)
            self._transaction.begin((), {})
            if self._source is not None:
                snapshot = sql.SQL("SET TRANSACTION SNAPSHOT {}").format(sql.Literal(self._source.snapshot_id))
                sessions.execute(self._database, snapshot)
            for statement in (
                "set_stable_output",
                transaction_limits.APPLY_LIMITS,
            ):  # a limit tells the time, in a style that psycopg has to read
                sessions.query(self._database, statement, self._parameters)
            undo.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._transaction.__exit__(kind)

    def lock_view(self, view: ViewName) -> LockedRelation | None:
        """Keep the view as it is until the end, and say what it is; None where there is no such thing."""
        relation_rows = sessions.query_view(self._database, "relation_kind", view)
        if not relation_rows:
            return None
        [(relkind, is_populated)] = relation_rows
        if relkind == "m" and is_populated:
            lock_statement = sql.SQL("SELECT FROM {} LIMIT 0").format(identifiers.view_identifier(view))
            sessions.execute(self._database, lock_statement)
        definition, version = self._definition(view)
        [(self.snapshot_id, self.taken_at)] = sessions.query(self._database, "export_snapshot")
        columns = sessions.query_view(self._database, "relation_columns", view)
        return LockedRelation(
            kind=relkind,
            is_populated=is_populated,
            definition=definition,
            server_version=version,
            columns=tuple(ViewColumn(name=name, type=kind, nullable=nullable) for name, kind, nullable in columns),
        )

    def _definition(self, view: ViewName) -> tuple[str, int]:
        """In a part that is undone, which lets go of what the view reads: loads go on while it is counted. Not being
        inside of a part, the snapshot can be exported afterwards."""
        parameters = {"schema": view.schema, "name": view.name}
        statements = ("savepoint", "view_definition", "rollback_to_savepoint", "release_savepoint")
        _, [(definition, version)], *_ = sessions.query_batch(self._database, statements, parameters)
        return definition or "", version
