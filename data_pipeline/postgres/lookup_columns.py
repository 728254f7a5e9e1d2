"""The rules of `data_pipeline.domain.enrichments` as joins with the references of lookups."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from psycopg import sql

from data_pipeline.domain.dialects import Lookup, Missing
from data_pipeline.domain.enrichments import Pair
from data_pipeline.domain.normalize_problems import not_in_reference
from data_pipeline.domain.normalizing import NormalizeReason
from data_pipeline.domain.rejects import Problem
from data_pipeline.postgres import reference_tables
from data_pipeline.postgres.sql_literals import text_literal
from data_pipeline.postgres.staging_tables import FileColumn


@dataclass(frozen=True, kw_only=True, slots=True)
class LookupColumn:
    """A column that a lookup adds to the records of a file."""

    lookup: Lookup
    column: FileColumn  # behind those of the file
    read_pairs: Callable[[], Iterable[Pair]] | None  # reads the file of the reference; None for a table

    @property
    def can_be_refused(self) -> bool:
        """Whether a value that the reference lacks refuses its record."""
        return self.lookup.missing is Missing.REJECT

    def create_reference(self, database: str) -> str:
        """Create the reference as a temporary table. Return a hash of it.

        Raises `BadReference`, or an error of the file.
        """
        pairs = self.read_pairs() if self.read_pairs else None
        reference_tables.create_reference(database, self.lookup, self._relation, pairs=pairs)
        return reference_tables.hash_of_reference(database, self._relation)

    def join(self, key: sql.Composable) -> sql.Composed:
        """Return the join of canonical texts with the reference.

        It keeps their order, which other joins may not.
        """
        return sql.SQL(
            'LEFT JOIN LATERAL (SELECT r.key, r.value FROM {relation} AS r WHERE r.key = {key} COLLATE "C" OFFSET 0)'
            " AS {found} ON true"
        ).format(relation=self._relation, key=key, found=self._found)

    @property
    def text(self) -> sql.Composed:
        """The added text of a joined record."""
        return sql.SQL("{}.value").format(self._found)

    def refusal(self, key: sql.Composable) -> sql.Composed:
        """Return the reason for refusing a looked up value, in SQL.

        It is NULL for a good value.
        """
        return sql.SQL("CASE WHEN {key} IS NOT NULL AND {found}.key IS NULL THEN {reason} END").format(
            key=key, found=self._found, reason=text_literal(NormalizeReason.NOT_IN_REFERENCE.value)
        )

    def refused_value(self, _: NormalizeReason) -> Problem:
        """Return the problem of a value that is not in the reference."""
        return not_in_reference(self.lookup, value=None)

    @property
    def _relation(self) -> sql.Identifier:
        return sql.Identifier("pg_temp", f"data_pipeline.reference_{self.column.position}")

    @property
    def _found(self) -> sql.Identifier:
        return sql.Identifier(f"l{self.column.position}")
