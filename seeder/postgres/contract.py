"""The contract's tables in contract.sql, in a connected database and in Django's models."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, partial
from importlib.resources import files
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple, Self

from django.apps import apps
from django.db import connections
from psycopg import sql

from seeder.domain import lock_keys
from seeder.domain.human_format import join_with_and
from seeder.domain.view_names import ViewName
from seeder.postgres import advisory_locks, catalog, sessions
from seeder.postgres.named_statements import STATEMENTS
from seeder.postgres.transactions import atomic
from seeder.texts import Text

SCHEMA = "reporting"

# Runs only read these tables. A role that may not change data checks still runs them.
_ONLY_READ, _WRITING = {"seeder_check"}, {"INSERT", "UPDATE"}

_TABLE = re.compile(r"^CREATE TABLE IF NOT EXISTS reporting\.(\w+) \(\n(.*?)^\);", re.MULTILINE | re.DOTALL)
_OPTIONAL = re.compile(
    r"^-- Optional: (?P<without>.*(?:\n-- .*)*)\nCREATE TABLE IF NOT EXISTS reporting\.(?P<table>\w+) ", re.MULTILINE
)
_COLUMN = re.compile(r"^    (?!CHECK|UNIQUE|PRIMARY|FOREIGN)(\w+) ([a-z]+)(.*?),?$", re.MULTILINE)

# As format_type() prints what contract.sql abbreviates.
_FULL_TYPE = {
    "serial": "integer",
    "bigserial": "bigint",
    "timestamptz": "timestamp with time zone",
    "time": "time without time zone",
    "double": "double precision",  # the only type of two words
}


class ContractColumn(NamedTuple):
    type: str  # as format_type() prints it
    nullable: bool

    def __str__(self) -> str:
        return f"{self.type} {'null' if self.nullable else 'not null'}"


TableColumns = Mapping[str, Mapping[str, ContractColumn]]


@cache
def _contract_sql() -> str:
    return files("seeder.postgres").joinpath("contract.sql").read_text("utf-8")


@cache
def tables_in_sql() -> TableColumns:
    """Return the tables that contract.sql creates."""
    return {
        table: {
            name: ContractColumn(type=_FULL_TYPE.get(kind, kind), nullable=not re.search("NOT NULL|PRIMARY KEY", rest))
            for name, kind, rest in _COLUMN.findall(body)
        }
        for table, body in _TABLE.findall(_contract_sql())
    }


@cache
def optional_tables() -> Mapping[str, Text]:
    """Return the optional tables, each with the sentence "Without it ..." of its comment."""
    return {
        match["table"]: Text(f"Without it {match['without']}".replace("\n-- ", " "))
        for match in _OPTIONAL.finditer(_contract_sql())
    }


def tables_in_database(database: str) -> TableColumns:
    """Return the contract's tables that exist in a database."""
    return _group_columns(catalog.columns(database, _names(tables_in_sql())))


def _names(tables: Iterable[str]) -> list[ViewName]:
    return [ViewName(schema=SCHEMA, name=table) for table in tables]


def _group_columns(rows: sessions.Rows) -> TableColumns:
    tables: dict[str, dict[str, ContractColumn]] = defaultdict(dict)
    for table, name, type_name, nullable in rows:
        tables[table][name] = ContractColumn(type=type_name, nullable=nullable)
    return dict(tables)


def tables_in_models(database: str) -> TableColumns:
    """Return the tables that the models map."""
    return {
        model._meta.db_table.split(".")[1].strip('"'): {
            str(field.column): ContractColumn(type=_FULL_TYPE.get(kind, kind), nullable=field.null)
            for field in model._meta.concrete_fields
            for kind in [field.db_type(connections[database]) or ""]
        }
        for model in apps.get_app_config("seeder").get_models()
    }


@dataclass(frozen=True, kw_only=True, slots=True)
class ContractDifference:
    """A table or column that is missing or differs."""

    table: str
    column: str | None  # None: the entire table is missing
    expected: str
    actual: str | None  # None: missing
    lost_feature: Text | None  # the sentence "Without it ..."; None if the table is required

    def __str__(self) -> str:
        place = f"{SCHEMA}.{self.table}" + (f".{self.column}" if self.column else "")
        if self.actual is None:
            return Text("{place}: {expected} in the contract, missing here", place=place, expected=self.expected)
        return Text(
            "{place}: {expected} in the contract, {actual} here",
            place=place,
            expected=self.expected,
            actual=self.actual,
        )


def differences(expected: TableColumns, actual: TableColumns) -> Iterator[ContractDifference]:
    """Yield what is missing from `actual` or differs there. Additional tables and columns are ignored."""
    for table, columns in expected.items():
        difference = partial(ContractDifference, table=table, lost_feature=optional_tables().get(table))
        if table not in actual:
            yield difference(column=None, expected=Text("a table"), actual=None)
            continue
        for name, column in columns.items():
            found = actual[table].get(name)
            if found != column:
                yield difference(column=name, expected=str(column), actual=str(found) if found else None)


@dataclass(frozen=True, kw_only=True, slots=True)
class OptionalTables:
    """Which optional tables this role can use. Read once per run."""

    unusable: Mapping[str, str]  # the reason by table; every other optional table can be used
    missing: frozenset[str] = frozenset()  # those of them that do not exist

    @classmethod
    def read(cls, database: str, *, read_only: bool = False) -> Self:
        """Compare the catalog with contract.sql, in one round trip.

        It needs no privilege and breaks no transaction. Set `read_only` if the tables will not be written.
        """
        expected = {table: tables_in_sql()[table] for table in optional_tables()}
        privileges = _privilege_parameters(expected, "USAGE", "SELECT", *([] if read_only else ["INSERT", "UPDATE"]))
        statements = STATEMENTS["relation_columns"], STATEMENTS["missing_privileges"]
        parameters = {**catalog.name_lists(_names(expected)), **privileges}
        columns, lacking = sessions.query_batch(database, statements, parameters)
        existing, unusable = _group_columns(columns), dict[str, str]()
        for difference in differences(expected, existing):
            unusable.setdefault(difference.table, str(difference))
        for table, rows in groupby(lacking, key=itemgetter(0)):
            names = [privilege for _, privilege, _ in rows if table not in _ONLY_READ or privilege not in _WRITING]
            if names:
                unusable.setdefault(
                    table,
                    Text(
                        "{table}: no {privileges} privilege", table=f"{SCHEMA}.{table}", privileges=join_with_and(names)
                    ),
                )
        return cls(unusable=unusable, missing=frozenset(expected.keys() - existing.keys()))

    def is_usable(self, table: str) -> bool:
        return table not in self.unusable


def has_refresh_privileges(database: str, *, queued: bool = False) -> bool:
    """Return whether this role can read the manifests and write the history, or the queue, as far as they exist."""
    read = ["seeder_custom_report_manifest", "seeder_canned_report", "seeder_canned_report_manifest"]
    written = ["seeder_queued_refresh"] if queued else ["seeder_run_history", "seeder_job_status"]
    statements = STATEMENTS["missing_privileges"], STATEMENTS["unusable_sequences"]
    parameters = _privilege_parameters([*read, *written], "USAGE", "SELECT", "INSERT", "UPDATE")
    lacking, sequences = sessions.query_batch(database, statements, parameters)
    has_privileges = all(table in read and privilege in {"INSERT", "UPDATE"} for table, privilege, _ in lacking)
    return has_privileges and all(table in read for table, _ in sequences)


def _privilege_parameters(tables: Iterable[str], *privileges: str) -> dict[str, object]:
    return {"schema": SCHEMA, "tables": list(tables), "privileges": list(privileges)}


def install(database: str) -> tuple[str, ...]:
    """Create the missing tables, with their schema and indexes, and return their names.

    Needs no privilege if nothing is missing.
    """
    with atomic(using=database, durable=True):
        advisory_locks.lock(database, lock_keys.INSTALL)
        existing = tables_in_database(database)
        missing = tuple(table for table in tables_in_sql() if table not in existing)
        if set(missing) <= optional_tables().keys():
            # IF NOT EXISTS requires privileges on the schema and ownership of the tables even if they exist. So a role
            # that can only add tables can add these.
            for table in missing:
                sessions.query(database, sql.SQL(_create_statements(table)))
        else:
            sessions.query(database, sql.SQL(_contract_sql()))
    return missing


def _create_statements(table: str) -> str:
    """Return the statements that create a table and its indexes."""
    mentions_table = re.compile(rf"(?:^CREATE TABLE IF NOT EXISTS| ON) reporting\.{table} ", re.MULTILINE)
    return ";\n".join(statement for statement in _contract_sql().split(";\n") if mentions_table.search(statement))
