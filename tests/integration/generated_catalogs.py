"""Generated catalogs, whose objects depend on each other in many ways."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from random import Random
from typing import TypeVar

from django.db import DEFAULT_DB_ALIAS, Error

from seeder.postgres import transactions
from tests.conftest import sql

Choice = TypeVar("Choice")
_INTEGER_FUNCTION = "CREATE FUNCTION {new}(integer) RETURNS integer IMMUTABLE"
_QUERY = "SELECT {value} + {value} AS n"
# Each creates an object, {new}, from earlier ones. A value is any expression, a call is one without a subquery.
STEPS: Mapping[str, str] = {
    "table": "CREATE TABLE {new} (n integer)",
    "child table": "CREATE TABLE {new} () INHERITS ({table})",
    "partition": "CREATE TABLE {new} PARTITION OF {partitioned} FOR VALUES IN ({number})",
    "policy": "CREATE POLICY {unqualified} ON {table} USING ({value} > 0)",
    "rule of a table": "CREATE RULE {unqualified} AS ON INSERT TO {table} DO INSTEAD SELECT {value}",
    "rule of a view": "CREATE RULE {unqualified} AS ON INSERT TO {plain view} DO INSTEAD SELECT {value}",
    "plain view": f"CREATE VIEW {{new}} AS {_QUERY}",
    "view": f"CREATE MATERIALIZED VIEW {{new}} AS {_QUERY} WITH NO DATA",
    "index of a table": "CREATE INDEX ON {table} (({call_of_n}))",
    "index": "CREATE INDEX ON {view} (({call_of_n}))",
    "partial index": "CREATE INDEX ON {view} (n) WHERE {call_of_n} > 0",
    "function": f"{_INTEGER_FUNCTION} BEGIN ATOMIC SELECT {{value}} + $1; END",
    "function with default": (
        "CREATE FUNCTION {new}(integer, integer DEFAULT {call}) RETURNS integer IMMUTABLE RETURN $1 + $2"
    ),
    "function of row": "CREATE FUNCTION {new}(integer, {relation} DEFAULT NULL) RETURNS integer IMMUTABLE RETURN $1",
    "text function": f"{_INTEGER_FUNCTION} LANGUAGE sql AS 'SELECT $1'",
    "text function of rows": (
        "CREATE FUNCTION {new}(integer, {relation}[] DEFAULT NULL) RETURNS integer IMMUTABLE"
        " LANGUAGE plpgsql AS 'BEGIN RETURN 1; END'"
    ),
    "internal function": f"{_INTEGER_FUNCTION} LANGUAGE internal AS 'int4abs'",
    "function of an extension": (
        f"{_INTEGER_FUNCTION} LANGUAGE sql AS 'SELECT $1'; ALTER EXTENSION plpgsql ADD FUNCTION {{new}}(integer)"
    ),
    "aggregate": (
        "CREATE FUNCTION {new}(integer, integer) RETURNS integer IMMUTABLE BEGIN ATOMIC SELECT {value} + $1 + $2; END;"
        "CREATE AGGREGATE {new}(integer) (SFUNC = {new}, STYPE = integer)"
    ),
    "operator": "CREATE OPERATOR public.{operator} (FUNCTION = {function}, RIGHTARG = integer)",
    "domain": "CREATE DOMAIN {new} AS integer CHECK ({call_of_value} > 0)",
    "domain over a domain": "CREATE DOMAIN {new} AS {domain}",
    "composite type": "CREATE TYPE {new} AS (n {domain})",
}
_INTEGERS = {"value": "1", "call": "1", "call_of_n": "n", "call_of_value": "VALUE"}
_PARTITIONED = "CREATE TABLE {new} (n integer) PARTITION BY LIST (n)"
_FIRST_STEPS = ("table", "plain view", "view", "function", "domain")
_SAME_KINDS = {"child table": "table", "domain over a domain": "domain"}
_RELATIONS = {"table", "child table", "partition", "partitioned", "plain view", "view"}
_CALLS_OF_RELATION = (
    "({integer} + (NULL::{new}).n)",
    "({integer} + cardinality(NULL::{new}[]))",
    "({integer} + '{new}'::regclass::integer)",
)
_CALLS: Mapping[str, Sequence[str]] = {
    **dict.fromkeys(_RELATIONS, _CALLS_OF_RELATION),
    **{step: ["{new}({integer})"] for step in STEPS if "function" in step},
    "operator": ["(OPERATOR(public.{operator}) {integer})"],
    "domain": ["({integer}::{new})::integer"],
    "domain over a domain": ["({integer}::{new})::integer"],
    "composite type": ["(ROW({integer})::{new}).n"],
}


@dataclass
class GeneratedCatalog:
    """Objects of the schema `public`, created in the current transaction."""

    names: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))  # by kind
    values: list[str] = field(default_factory=lambda: ["1"])  # expressions for queries
    calls: list[str] = field(default_factory=lambda: ["abs({integer})"])  # without subqueries
    parents: dict[str, str] = field(default_factory=dict)  # of partitions and child tables
    created: int = 0

    def __post_init__(self) -> None:
        for step in _FIRST_STEPS:
            assert self.create(step, Random(0))  # noqa: S311  # repeatable catalogs
        assert self.create("partitioned", Random(0))  # noqa: S311  # repeatable catalogs

    def create(self, step: str, random: Random) -> bool:
        """Create an object from earlier ones, chosen at random. Return whether PostgreSQL allows it."""
        self.created += 1
        fields = _Fields(self, random)
        statement = (_PARTITIONED if step == "partitioned" else STEPS[step]).format_map(fields)
        if isinstance(transactions.attempt(DEFAULT_DB_ALIAS, partial(sql, statement)), Error):
            return False
        name = fields["new"]
        if step in _RELATIONS:
            self.names["relation"].append(name)
            self.values.append(f"(SELECT max(n) FROM {name})")
        if parent := fields.chosen.get("table" if step == "child table" else "partitioned"):
            self.parents[name] = parent
        if step == "aggregate":
            self.values.append(f"(SELECT {name}(1))")
        self.names[_SAME_KINDS.get(step, "function" if "function" in step else step)].append(name)
        self.calls += [
            call.replace("{new}", name).replace("{operator}", fields["operator"]) for call in _CALLS.get(step, ())
        ]
        return True

    def relatives(self, relation: str) -> set[str]:
        """Return a relation with its parents and partitions."""
        return self._lineage(relation) | {one for one in self.names["relation"] if relation in self._lineage(one)}

    def _lineage(self, relation: str) -> set[str]:
        parent = self.parents.get(relation)
        return {relation} | (self._lineage(parent) if parent else set())


class _Fields(dict[str, str]):
    """The fields of a step: the name of the new object, and those of earlier objects chosen at random."""

    def __init__(self, catalog: GeneratedCatalog, random: Random) -> None:
        number = catalog.created
        super().__init__(
            new=f"public.o{number}", unqualified=f"o{number}", number=str(number), operator="@" + "#" * number
        )
        self._catalog, self._random = catalog, random
        self.chosen = dict[str, str]()

    def __missing__(self, kind: str) -> str:
        if kind == "value" and self._choose([True, False]):
            return self._choose(self._catalog.values)
        if kind in _INTEGERS:
            return self._choose(self._catalog.calls).format(integer=_INTEGERS[kind])
        self.chosen[kind] = self._choose(self._catalog.names[kind])
        return self.chosen[kind]

    def _choose(self, options: Sequence[Choice]) -> Choice:
        """Choose an option, mostly one of the last, so that objects depend on each other in chains."""
        return options[-1 - int(len(options) * self._random.random() ** 3)]
