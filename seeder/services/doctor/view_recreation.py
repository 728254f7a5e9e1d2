"""The SQL that recreates a view from another query, and what it cannot keep."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from seeder.postgres import doctor_queries
from seeder.services.doctor.check_types import CheckedDatabase
from seeder.texts import Text


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

    def sentences(self) -> Iterator[Text]:
        if self.dependents:
            yield Text(
                "First drop what depends on it, and create it again afterwards: {names}. `pg_dump --schema-only` prints"
                " their definitions, grants and comments.",
                names=Text.joined(self.dependents),
            )
        if self.forbidden_places:
            yield Text(
                "{role} needs USAGE and CREATE there meanwhile: {places}.",
                role=self.owner,
                places=Text.joined(self.forbidden_places),
            )
        if self.other_grantors:
            yield Text(
                "Grants by {roles} become grants by {owner}.",
                roles=Text.joined(self.other_grantors),
                owner=self.owner,
            )
        if self.statistics_of_others:
            yield Text(
                "These statistics then belong to {owner}: {statistics}.",
                owner=self.owner,
                statistics=Text.joined(self.statistics_of_others),
            )
        if self.invalid_indexes:
            yield Text("Invalid indexes are lost: {indexes}.", indexes=Text.joined(self.invalid_indexes))


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
            recreations[oid] = Recreation(sql="", limits=[Text("Run the doctor again later for the statements.")])
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
            Text(
                "Lost, because the query has no column {columns}: {statements}.",
                columns=Text.joined(missing),
                statements=Text.joined([one.text for one in lost], "; "),
            )
        )
    return Recreation(sql="\n".join(["BEGIN;", *kept, "COMMIT;"]), limits=sentences)
