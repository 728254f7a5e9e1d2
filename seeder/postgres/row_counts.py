"""The rows of a view after a refresh, and the rows that the refresh inserted and deleted.

A creation and a plain refresh write every row, so PostgreSQL's counters have the number of rows. After a concurrent
refresh they have only the rows that changed, so the rows are counted, which takes about a fiftieth of such a refresh.
An earlier number could be out of date, because other sessions can refresh the view.
"""

from dataclasses import asdict, dataclass
from typing import cast

from psycopg import sql
from psycopg.rows import class_row

from seeder.domain.mode_predictor import RefreshMode
from seeder.domain.view_names import ViewName
from seeder.postgres import sessions, view_statements
from seeder.postgres.named_statements import STATEMENTS


@dataclass(frozen=True, kw_only=True, slots=True)
class ViewBeforeRefresh:
    """A view at the beginning of the transaction that creates or refreshes it."""

    exists: bool
    can_count: bool  # this role may read the view
    # Counters of this session, with rows of earlier transactions that it has not published. None without track_counts.
    inserted: int | None
    deleted: int | None

    @classmethod
    def of(cls, row: sessions.Row) -> "ViewBeforeRefresh":
        """Return the state from a row of the statement `view_before_refresh`."""
        exists, can_count, inserted, deleted = row
        return cls(exists=exists, can_count=can_count, inserted=inserted, deleted=deleted)

    def requires_count(self, mode: RefreshMode | None) -> bool:
        """Return whether the counters do not have the number of rows after a refresh in this mode."""
        return mode is RefreshMode.CONCURRENT or self.inserted is None


@dataclass(frozen=True, kw_only=True, slots=True)
class WrittenRows:
    """What a transaction wrote into a view, and its size afterwards."""

    inserted: int | None  # None if unknown
    deleted: int | None
    size_bytes: int  # on disk, with indexes and TOAST


def count_rows(database: str, view: ViewName) -> int:
    """Count the rows of a view."""
    statement = sql.SQL("SELECT count(*) FROM {}").format(view_statements.view_identifier(view))
    [(row_count,)] = sessions.query(database, statement)
    return int(row_count)


def measure_view(database: str, view: ViewName, before: ViewBeforeRefresh) -> WrittenRows:
    """Measure a view in the transaction that refreshed it."""
    parameters = {**asdict(view), "inserted": before.inserted, "deleted": before.deleted}
    [written] = sessions.query(database, STATEMENTS["measure_view"], parameters, row_factory=class_row(WrittenRows))
    return cast("WrittenRows", written)
