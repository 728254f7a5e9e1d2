"""Compares the rows of a load with those of its artefact.

The rows of the artefact are in `ROWS`. Both are hashed without regard to their order: the sum of the hashes of all
rows, with their values as text.
"""

from collections.abc import Sequence

from psycopg import sql

from data_pipeline.domain.verifications import ArtefactState, RowsState
from data_pipeline.postgres.row_skipping import delete_records
from data_pipeline.postgres.staging_tables import ROWS
from data_pipeline.postgres.statements import STATEMENTS
from data_pipeline.postgres.target_tables import LOAD_ID_COLUMN, TargetTable
from seeder.postgres import sessions

_LOAD_ID = sql.Identifier("t", LOAD_ID_COLUMN)


def count_rows(database: str, target: TargetTable, load_id: int) -> int:
    """Return the number of rows with the id of a load."""
    statement = sql.SQL("SELECT count(*) FROM {} AS t WHERE {} = {}").format(target.identifier, _LOAD_ID, load_id)
    return int(sessions.query(database, statement)[0][0])


def later_loads(database: str, target: TargetTable, load_id: int) -> Sequence[int]:
    """Return later loads of the same rows, if previous values are kept."""
    parameters = {"load_id": load_id, "target": str(target.name), "column": LOAD_ID_COLUMN}
    found = [one for (one,) in sessions.query(database, STATEMENTS["later_changes_of_rows"], parameters)]
    rows = sessions.query(database, STATEMENTS["loads_in_table"], {"load_ids": found})
    return [one for (one,) in rows]


def leave_out_rejects(database: str, load_id: int) -> int:
    """Delete the rejected records of a load from `ROWS`. Return the number of its kept rejects."""
    rows = sessions.query(database, STATEMENTS["kept_reject_numbers"], {"load_id": load_id})
    numbers = [number for (number,) in rows]
    delete_records(database, ROWS, numbers)
    return len(numbers)


class RowComparison:
    """The rows of a load in the table and in its artefact.

    With a key, the load may have left rows unchanged, which are not its own. So only rows of the artefact are compared
    whose key a row of the load has.
    """

    def __init__(
        self, database: str, target: TargetTable, load_id: int, *, columns: Sequence[str], key: Sequence[str]
    ) -> None:
        self._database = database
        of_load = sql.SQL("{} = {}").format(_LOAD_ID, load_id)
        self._found = sql.SQL("SELECT {} AS h FROM {} AS t WHERE {}").format(
            _hash(columns, key=columns), target.identifier, of_load
        )
        self._expected = sql.SQL("SELECT {} AS h FROM {} AS s").format(_hash(columns, key=key), ROWS)
        if key:
            self._expected = sql.SQL("{} JOIN {} AS t ON {} AND {}").format(
                self._expected, target.identifier, of_load, target.same_values(key, "t", "s")
            )

    def is_equal(self) -> bool:
        """Return whether both have the same rows, each as often."""
        statement = sql.SQL(
            "SELECT ROW(a.rows, a.hash) IS NOT DISTINCT FROM ROW(b.rows, b.hash)"
            " FROM (SELECT count(*) AS rows, sum(h::numeric) AS hash FROM ({}) AS found) AS a,"
            " (SELECT count(*) AS rows, sum(h::numeric) AS hash FROM ({}) AS expected) AS b"
        ).format(self._found, self._expected)
        return bool(sessions.query(self._database, statement)[0][0])

    def count_different(self) -> int:
        """Return how many table rows the artefact does not have."""
        statement = sql.SQL("SELECT count(*) FROM ({} EXCEPT ALL {}) AS different").format(self._found, self._expected)
        return int(sessions.query(self._database, statement)[0][0])


def _hash(columns: Sequence[str], *, key: Sequence[str]) -> sql.Composed:
    """Return the hash of a row. Its key is that of the table, because equal keys can have different texts."""
    values = sql.SQL(", ").join(sql.Identifier("t" if name in key else "s", name) for name in columns)
    return sql.SQL("hashtextextended(ROW({})::text, 0)").format(values)


def record(database: str, load_id: int, *, artefact: ArtefactState, rows: RowsState, actor: str) -> None:
    """Write the result into the audit of the load."""
    parameters = {"load_id": load_id, "artefact": artefact, "rows": rows, "actor": actor}
    sessions.query(database, STATEMENTS["record_verification"], parameters)
