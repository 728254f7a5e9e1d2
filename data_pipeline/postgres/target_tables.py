"""The table that a load fills, as the catalog describes it."""

from collections.abc import Sequence
from dataclasses import dataclass

from psycopg import sql
from psycopg.rows import class_row

from data_pipeline.errors import NotLoadable, TableHasRule, TableOfLoads, UnknownTarget
from data_pipeline.postgres.statements import STATEMENTS
from seeder.domain.view_names import ViewName
from seeder.postgres import sessions
from seeder.texts import Text

LOAD_ID_COLUMN = "load_id"  # added by `track_loads`; its default is the id of the current load
_LOADABLE_KINDS = {"r", "p", "f"}  # table, partitioned table, foreign table
_KIND_NAMES = {
    "v": Text("a view"),
    "m": Text("a materialized view"),
    "S": Text("a sequence"),
    "i": Text("an index"),
    "c": Text("a type"),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class TargetColumn:
    """A column of the table."""

    name: str
    type: str  # as PostgreSQL writes it, with its modifier
    is_required: bool  # null is refused, and no trigger can replace it
    can_be_omitted: bool  # nullable, or with a default
    is_generated: bool  # cannot be written by a file
    is_computed: bool  # from other columns
    is_any_text: bool  # every text that PostgreSQL can store is a value
    is_composite: bool  # has fields, also as a domain
    is_date: bool  # date, timestamp or timestamptz
    reads_date_words: bool  # reads words such as `today`, perhaps as a part of the value
    collation: str | None  # as PostgreSQL writes it; None for that of the type
    has_exact_equality: bool  # equal values have the same text
    equality: str  # the operator, in SQL


@dataclass(frozen=True, kw_only=True, slots=True)
class TargetTable:
    """The table that a load fills."""

    name: ViewName
    oid: int
    all_columns: Sequence[TargetColumn]
    primary_key: Sequence[str]
    has_row_security: bool  # for the current role, which COPY refuses
    has_row_triggers: bool  # that can change or skip a row
    is_own_parent: bool  # a foreign key refers to the table itself
    child: str | None  # a table that inherits from this one and is no partition, quoted for SQL

    @property
    def identifier(self) -> sql.Identifier:
        return sql.Identifier(self.name.schema, self.name.name)

    @property
    def columns(self) -> Sequence[TargetColumn]:
        """The columns that can be written, without identities that are always generated."""
        return [column for column in self.all_columns if not column.is_generated]

    @property
    def stored_columns(self) -> Sequence[TargetColumn]:
        """The columns that are not computed from others."""
        return [column for column in self.all_columns if not column.is_computed]

    def same_values(self, names: Sequence[str], left: str, right: str) -> sql.Composed:
        """Return the condition that columns of two aliases are equal."""
        columns = [column for column in self.all_columns if column.name in names]
        return sql.SQL(" AND ").join(
            sql.SQL("{} {} {}").format(
                sql.Identifier(left, one.name), sql.SQL(one.equality), sql.Identifier(right, one.name)
            )
            for one in columns
        )

    @property
    def is_tracked(self) -> bool:
        """Whether each row has the id of its load."""
        return any(column.name == LOAD_ID_COLUMN for column in self.columns)

    @property
    def data_columns(self) -> Sequence[TargetColumn]:
        """The columns that a file can fill."""
        return [column for column in self.columns if column.name != LOAD_ID_COLUMN]

    def column(self, name: str) -> TargetColumn:
        return next(column for column in self.columns if column.name == name)


def describe(database: str, name: ViewName) -> TargetTable:
    """Read a table from the catalog. Raises `UnknownTarget`, `NotLoadable`, `TableOfLoads` or `TableHasRule`."""
    parameters = {"schema": name.schema, "name": name.name}
    relation = sessions.query(database, STATEMENTS["target_relation"], parameters)
    if not relation:
        raise UnknownTarget(table=str(name), suggestion="")
    oid, kind, is_of_loads, rule, has_row_security, has_row_triggers, is_own_parent, child = relation[0]
    if kind not in _LOADABLE_KINDS:
        raise NotLoadable(table=str(name), kind=_KIND_NAMES.get(kind, Text("no table")))
    if is_of_loads:
        raise TableOfLoads(table=str(name))
    if rule is not None:
        raise TableHasRule(table=str(name), rule=rule)
    facts = {"oid": oid, "has_row_triggers": has_row_triggers}
    columns = sessions.query(database, STATEMENTS["target_columns"], facts, row_factory=class_row(TargetColumn))
    primary_key = sessions.query(database, STATEMENTS["target_primary_key"], {"oid": oid})
    return TargetTable(
        name=name,
        oid=oid,
        all_columns=columns,
        primary_key=[column for (column,) in primary_key],
        has_row_security=has_row_security,
        has_row_triggers=has_row_triggers,
        is_own_parent=is_own_parent,
        child=child,
    )


def find_table(database: str, name: str, *, default_schema: str) -> ViewName:
    """Return a table with its schema. A name without one is found by the search path, otherwise in the default schema.

    Raises `BadName`.
    """
    parsed = ViewName.parse(name, default_schema="")
    if parsed.schema:
        return parsed
    found = sessions.query(database, STATEMENTS["table_in_path"], {"name": name})
    schema, table = found[0] if found else (default_schema, parsed.name)
    return ViewName(schema=schema, name=table)


def is_unique(database: str, target: TargetTable, columns: Sequence[str]) -> bool:
    """Return whether an index proves that these columns are unique."""
    parameters = {"oid": target.oid, "columns": list(columns)}
    return bool(sessions.query(database, STATEMENTS["is_unique"], parameters)[0][0])
