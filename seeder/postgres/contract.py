"""The contract's tables as three parties know them: contract.sql, the connected database and Django's models."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from django.apps import apps
from django.db import connections

from seeder.postgres import locks, sessions, transactions
from seeder.postgres.statements import text

SCHEMA = "reporting"

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
    "double": "double precision",  # the one type of two words
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Column:
    """What two parties have to agree on."""

    type: str  # as format_type() prints it
    nullable: bool

    def __str__(self) -> str:
        return f"{self.type} {'null' if self.nullable else 'not null'}"


Tables = Mapping[str, Mapping[str, Column]]


def written() -> Tables:
    """As contract.sql creates them."""
    return {
        table: {
            name: Column(type=_FULL_TYPE.get(kind, kind), nullable=not re.search("NOT NULL|PRIMARY KEY", rest))
            for name, kind, rest in _COLUMN.findall(body)
        }
        for table, body in _TABLE.findall(text("contract.sql"))
    }


def optional() -> Mapping[str, str]:
    """Those of the tables that seeder works without, each with what one then does without."""
    return {
        found["table"]: found["without"].replace("\n-- ", " ") for found in _OPTIONAL.finditer(text("contract.sql"))
    }


def connected(database: str, table: str | None = None) -> Tables:
    """As the database has them, among whatever else is in that schema; or that one alone."""
    tables: dict[str, dict[str, Column]] = {}
    for found, column, kind, nullable in sessions.query(database, "columns", {"schema": SCHEMA, "table": table}):
        tables.setdefault(found, {})[column] = Column(type=kind, nullable=nullable)
    return tables


def mapped(database: str) -> Tables:
    """As the models map them."""
    return {
        model._meta.db_table.split(".")[1].strip('"'): {
            str(field.column): Column(type=field.db_type(connections[database]) or "", nullable=field.null)
            for field in model._meta.concrete_fields
        }
        for model in apps.get_app_config("seeder").get_models()
    }


@dataclass(frozen=True, kw_only=True, slots=True)
class Difference:
    """Something that the contract has and the other party has not, or has otherwise."""

    table: str
    column: str | None  # None where the whole table is missing
    contract: str
    other: str | None  # None where it is missing
    without: str | None = None  # what one does without, where the table is optional; None where it is not

    def __str__(self) -> str:
        where = f"{SCHEMA}.{self.table}" + (f".{self.column}" if self.column else "")
        return f"{where}: {self.contract} in the contract, {self.other or 'missing'} here"


def differences(contract: Tables, other: Tables) -> Iterator[Difference]:
    """What of `contract` the other party lacks or has otherwise; what it has beyond that is its own business."""
    without = optional()
    for table, columns in contract.items():
        if table not in other:
            yield Difference(table=table, column=None, contract="a table", other=None, without=without.get(table))
            continue
        for name, column in columns.items():
            there = other[table].get(name)
            if there != column:
                yield Difference(
                    table=table,
                    column=name,
                    contract=str(column),
                    other=str(there) if there else None,
                    without=without.get(table),
                )


def why_unusable(database: str, table: str, *, to_read: bool = False) -> str | None:
    """Why this role cannot read and write an optional table as contract.sql creates it, or cannot even read it; None
    where it can.

    The catalog says so, which needs no privilege and breaks no transaction.
    """
    for difference in differences({table: written()[table]}, connected(database, table)):
        return str(difference)
    wanted = ["USAGE", "SELECT", *([] if to_read else ["INSERT", "UPDATE"])]
    asked = {**_named(table), "privileges": wanted}
    missing = [privilege for (privilege,) in sessions.query(database, "privileges_missing", asked)]
    return f"{SCHEMA}.{table}: no {' and '.join(missing)} privilege" if missing else None


def may_refresh(database: str, *, queued: bool = False) -> bool:
    """Whether this role may read the manifests and write the history, or what is queued for others to refresh, as far
    as the tables are there."""
    [(may,)] = sessions.query(database, "may_refresh", {"schema": SCHEMA, "queued": queued})
    return bool(may)


def install(database: str) -> tuple[str, ...]:
    """Create the tables that are missing, with their schema and indexes; their names. Changes nothing that exists, and
    where nothing is missing it asks for no privilege either."""
    with transactions.one_transaction(database):
        locks.install_alone(database)
        there = connected(database)
        missing = tuple(table for table in written() if table not in there)
        if set(missing) <= optional().keys():
            # Even to find a schema and an index there, IF NOT EXISTS wants to be allowed to create the one and to own
            # the table of the other; whoever may only add tables can so add these.
            for table in missing:
                sessions.execute_script(database, _statements(table))
        else:
            sessions.execute_script(database, text("contract.sql"))
    return missing


def _statements(table: str) -> str:
    """What creates one table and its indexes."""
    about = re.compile(rf"(?:^CREATE TABLE IF NOT EXISTS| ON) reporting\.{table} ", re.MULTILINE)
    return ";\n".join(statement for statement in text("contract.sql").split(";\n") if about.search(statement))


def _named(table: str) -> Mapping[str, str]:
    return {"schema": SCHEMA, "table": table}
