"""Replaces a table by a partitioned one of the same name: its statements, and how they are run.

The rows are copied while others read the table. Then the names are exchanged under a short lock. It is one transaction.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from psycopg import sql

from data_pipeline.domain.partition_names import NAME_FORMATS, suffixed
from data_pipeline.partition_errors import NotPartitionable
from data_pipeline.postgres.statements import STATEMENTS
from data_pipeline.postgres.target_tables import TargetTable
from seeder.domain.view_names import ViewName
from seeder.postgres import sessions
from seeder.texts import Text

MAX_PARTITIONS = 500  # each takes some locks, of which a server has about 6,400 by default
_COLUMN_TYPES = {"date", "timestamp without time zone", "timestamp with time zone"}
_READS_GO_ON = Text("writes to the table until the commit; reads continue")

_Bounds = tuple[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class PartitionStep:
    """A statement, and what it locks."""

    statement: str
    locks: str


@dataclass(frozen=True, kw_only=True, slots=True)
class PartitionPlan:
    """The statements that replace a table by a partitioned one."""

    table: ViewName
    replaced: ViewName  # the name that the table gets
    partitions: Sequence[str]
    default_rows: int  # rows without a period, such as null
    lock: PartitionStep
    copy: Sequence[PartitionStep]
    comparison: PartitionStep  # a query with one boolean
    index: Sequence[PartitionStep]
    swap: Sequence[PartitionStep]

    @property
    def steps(self) -> Sequence[PartitionStep]:
        """All statements of the transaction, in order."""
        return [self.lock, *self.copy, self.comparison, *self.index, *self.swap]


def lock_step(table: TargetTable) -> PartitionStep:
    """Return the statement that blocks writers until the transaction ends."""
    statement = sql.SQL("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE").format(table.identifier)
    return PartitionStep(statement=f"{statement.as_string()};", locks=_READS_GO_ON)


def plan(database: str, table: TargetTable, *, column: str, every: str, ahead: int) -> PartitionPlan:
    """Return the statements for a table as it is now. Needs a transaction. Raises `NotPartitionable`."""
    sessions.query(database, "SET LOCAL search_path = ''")  # definitions in the catalog then name their schemas
    has_time_zone = _require_partitionable(database, table, column)
    new, replaced = suffixed(table.name, "_partitioned"), suffixed(table.name, "_unpartitioned")
    identifiers = {"table": table.identifier, "new": _identifier(new), "old": _identifier(replaced)}
    parameters = {"oid": table.oid, "column": column}
    parameters |= {name: identifier.as_string() for name, identifier in identifiers.items()}
    periods, default_rows = _periods(database, table, column=column, every=every, ahead=ahead, in_utc=has_time_zone)
    if len(periods) > MAX_PARTITIONS:
        problems = Text(
            "it would have {number:,} partitions, but at most {limit} are created; use longer periods",
            number=len(periods),
            limit=MAX_PARTITIONS,
        )
        raise NotPartitionable(table=str(table.name), column=column, problems=problems)
    [(columns, settings, storage, tablespace, grantees)] = sessions.query(
        database, STATEMENTS["partition_columns"], parameters
    )
    partitions: list[tuple[ViewName, _Bounds | None]] = [
        *((suffixed(table.name, f"_p{name}"), bounds) for name, bounds in periods),
        (suffixed(table.name, "_default"), None),
    ]
    create = [
        sql.SQL(
            "CREATE TABLE {new} (LIKE {table} INCLUDING ALL EXCLUDING INDEXES EXCLUDING STATISTICS)"
            " PARTITION BY RANGE ({column}){tablespace}"
        ).format(
            **identifiers,
            column=sql.Identifier(column),
            tablespace=sql.SQL(" TABLESPACE {}").format(sql.Identifier(tablespace)) if tablespace else sql.SQL(""),
        ),
        *map(sql.SQL, settings),
        *(_create_partition(new, name, bounds, storage) for name, bounds in partitions),
        # Default privileges of the owner would let other roles read the new tables.
        *(
            sql.SQL("REVOKE ALL ON TABLE {} FROM {}").format(_identifier(name), sql.SQL(grantee))
            for grantee in grantees
            for name in (new, *(name for name, _ in partitions))
        ),
        sql.SQL("INSERT INTO {new} ({columns}) OVERRIDING SYSTEM VALUE SELECT {columns} FROM {table}").format(
            **identifiers, columns=sql.SQL(", ").join(map(sql.Identifier, columns))
        ),
    ]
    comparison = sql.SQL("SELECT ({}) = ({}) AS rows_are_equal").format(
        *(_fingerprint(identifiers[name]) for name in ("table", "new"))
    )
    index = [
        sql.SQL(statement) for (statement,) in sessions.query(database, STATEMENTS["partition_indexes"], parameters)
    ]
    swap = [
        sql.SQL("LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE").format(**identifiers),
        sql.SQL("ALTER TABLE {table} RENAME TO {}").format(sql.Identifier(replaced.name), **identifiers),
        sql.SQL("ALTER TABLE {new} RENAME TO {}").format(sql.Identifier(table.name.name), **identifiers),
        *(sql.SQL(statement) for (statement,) in sessions.query(database, STATEMENTS["partition_swap"], parameters)),
    ]
    return PartitionPlan(
        table=table.name,
        replaced=replaced,
        partitions=[str(name) for name, _ in partitions],
        default_rows=default_rows,
        lock=lock_step(table),
        copy=_steps(create, Text("nothing else: the new tables are not visible yet")),
        comparison=_steps([comparison], Text("nothing else"))[0],
        index=_steps(
            [*index, sql.SQL("ANALYZE {new}").format(**identifiers)],
            Text("nothing else, but a foreign key keeps others from writing to the table that it refers to"),
        ),
        swap=_steps(swap, Text("all use of the table and its views for some milliseconds, until the commit")),
    )


def _require_partitionable(database: str, table: TargetTable, column: str) -> bool:
    """Return whether the column has a time zone. Raises `NotPartitionable`."""
    parameters = {"oid": table.oid, "column": column}
    [(kind, is_generated, is_owner, owner)] = sessions.query(database, STATEMENTS["partition_column"], parameters)
    problems = [problem for (problem,) in sessions.query(database, STATEMENTS["partition_obstacles"], parameters)]
    if kind is None:
        problems.insert(0, Text("it has no such column"))
    elif kind not in _COLUMN_TYPES:
        problems.insert(0, Text("the column has the type {kind}, but must be a date or a timestamp", kind=kind))
    elif is_generated:
        problems.insert(0, Text("the column is generated"))
    if not is_owner:
        problems.insert(0, Text("it belongs to the role {owner}, which has to run this command", owner=owner))
    if problems:
        raise NotPartitionable(table=str(table.name), column=column, problems=Text.joined(problems, "; "))
    return str(kind).endswith("with time zone")


def _periods(  # noqa: PLR0913  # facts of one table
    database: str, table: TargetTable, *, column: str, every: str, ahead: int, in_utc: bool
) -> tuple[Sequence[tuple[str, _Bounds]], int]:
    """Return the periods with rows, and the next ones.

    Each has its name and bounds. The second value is the number of other rows.
    """
    values = {
        "table": table.identifier,
        "column": sql.Identifier(column),
        "local": sql.SQL("{} AT TIME ZONE 'UTC'" if in_utc else "{}::timestamp").format(sql.Identifier(column)),
        "every": sql.Literal(every),
        "step": sql.Literal(f"1 {every}"),
        "ahead": sql.Literal(ahead),
        "name": sql.Literal(NAME_FORMATS[every]),
        "bound": sql.Literal("YYYY-MM-DD 00:00:00+00" if in_utc else "YYYY-MM-DD"),
    }
    statement = sql.SQL("""
        WITH counted AS (
            SELECT CASE
                WHEN {column} >= '0001-01-02' AND {column} < '9999-01-01' THEN date_trunc({every}, {local})
            END AS period, count(*) AS rows
            FROM {table}
            GROUP BY 1
        ),
        periods AS (
            SELECT period FROM counted WHERE period IS NOT NULL
            UNION
            SELECT generate_series(today, today + {ahead} * {step}::interval, {step}::interval)
            FROM date_trunc({every}, now() AT TIME ZONE 'UTC') AS today
        )
        SELECT to_char(period, {name}), to_char(period, {bound}), to_char(period + {step}::interval, {bound}),
            (SELECT coalesce(sum(rows), 0) FROM counted WHERE period IS NULL)::bigint
        FROM periods
        ORDER BY period
    """).format(**values)
    rows = sessions.query(database, statement)
    return [(name, (lower, upper)) for name, lower, upper, _ in rows], rows[0][3]


def _create_partition(new: ViewName, name: ViewName, bounds: _Bounds | None, storage: str | None) -> sql.Composed:
    values = sql.SQL("FOR VALUES FROM ({}) TO ({})").format(*map(sql.Literal, bounds)) if bounds else sql.SQL("DEFAULT")
    options = sql.SQL(f" WITH ({storage})" if storage else "")  # composed by the server
    return sql.SQL("CREATE TABLE {} PARTITION OF {} {}{}").format(_identifier(name), _identifier(new), values, options)


def _fingerprint(table: sql.Composable) -> sql.Composed:
    """Return a query for the number and hash of rows.

    The hash does not depend on their order.
    """
    return sql.SQL(
        "SELECT ROW(count(*), coalesce(sum(hashtextextended((x.*)::text, 0)::numeric), 0)) FROM {} AS x"
    ).format(table)


def _identifier(name: ViewName) -> sql.Identifier:
    return sql.Identifier(name.schema, name.name)


def _steps(statements: Iterable[sql.Composable], locks: str) -> Sequence[PartitionStep]:
    return [PartitionStep(statement=f"{one.as_string()};", locks=locks) for one in statements]
