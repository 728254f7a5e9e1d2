"""The SQL that recreates a view from another query, and what it cannot keep."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from seeder.postgres import doctor_queries
from seeder.services.doctor.check_types import CheckedDatabase


@dataclass(frozen=True, kw_only=True, slots=True)
class Recreation:
    """Statements to paste, and sentences about what they lose or require."""

    sql: str
    limits: Sequence[str]


class _Statement(NamedTuple):
    text: str
    is_create: bool  # the query follows it
    needed_columns: Sequence[str]


class _Limits(NamedTuple):
    """A row of the statement `recreate_limits`. Names are quoted."""

    owner: str
    other_grantors: Sequence[str]
    invalid_indexes: Sequence[str]
    statistics_of_others: Sequence[str]
    dependents: Sequence[str]
    forbidden_places: Sequence[str]

    def sentences(self) -> Iterator[str]:
        if self.dependents:
            yield (
                f"First drop what depends on it, and create it again afterwards: {', '.join(self.dependents)}."
                " `pg_dump --schema-only` prints their definitions, grants and comments."
            )
        if self.forbidden_places:
            yield f"{self.owner} needs USAGE and CREATE there meanwhile: {', '.join(self.forbidden_places)}."
        if self.other_grantors:
            yield f"Grants by {', '.join(self.other_grantors)} become grants by {self.owner}."
        if self.statistics_of_others:
            yield f"These statistics then belong to {self.owner}: {', '.join(self.statistics_of_others)}."
        if self.invalid_indexes:
            yield f"Invalid indexes are lost: {', '.join(self.invalid_indexes)}."


def read_recreations(database: CheckedDatabase, queries: Mapping[int, str]) -> Mapping[int, Recreation]:
    """Return how to recreate materialized views, by OID, from these queries.

    There are no statements for a query whose columns are unknown, because they could lose more than their text says.
    """
    statements = defaultdict[int, list[_Statement]](list)
    for oid, *statement in database.read("recreate_statements", oids=[*queries]):
        statements[oid].append(_Statement._make(statement))
    limits = {oid: _Limits._make(row) for oid, *row in database.read("recreate_limits", oids=[*queries])}
    recreations = {}
    for oid in statements.keys() & limits.keys():
        columns = doctor_queries.columns_of_query(database.alias, queries[oid])
        if columns is None:
            recreations[oid] = Recreation(sql="", limits=["Run the doctor again later for the statements."])
        else:
            recreations[oid] = _recreation(statements[oid], limits[oid], queries[oid], columns)
    return recreations


def _recreation(statements: Sequence[_Statement], limits: _Limits, query: str, columns: frozenset[str]) -> Recreation:
    """Compose the statements, without those that need a column which the query does not have."""
    lost = [one for one in statements if not columns.issuperset(one.needed_columns)]
    # The query can end in a comment.
    kept = [f"{one.text}\n{query}\n;" if one.is_create else f"{one.text};" for one in statements if one not in lost]
    sentences = [*limits.sentences()]
    if lost:
        missing = sorted({column for one in lost for column in one.needed_columns} - columns)
        sentences.append(
            f"Lost, because the query has no column {', '.join(missing)}: {'; '.join(one.text for one in lost)}."
        )
    return Recreation(sql="\n".join(["BEGIN;", *kept, "COMMIT;"]), limits=sentences)
