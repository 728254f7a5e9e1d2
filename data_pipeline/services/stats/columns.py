"""The columns of views, which each process keeps for some minutes."""

from collections.abc import Callable, Sequence
from time import monotonic

from django.db import DEFAULT_DB_ALIAS

from data_pipeline import conf
from data_pipeline.domain.stats_queries import StatsColumn
from data_pipeline.postgres import statistics
from data_pipeline.postgres.statistics import StatsRelation


class ColumnCache:
    """Columns by the schema and name of a view.

    They are read again after some time, and when the view was refreshed or replaced.
    """

    def __init__(self, *, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._known: dict[tuple[str, str, str], tuple[float, str, Sequence[StatsColumn]]] = {}

    def columns_of(self, database: str, relation: StatsRelation, *, ttl_s: int) -> Sequence[StatsColumn]:
        """Return the columns of a relation, in order.

        They are those of at most `ttl_s` seconds ago.
        """
        key, now = (database, relation.schema, relation.name), self._clock()
        read_at, version, columns = self._known.get(key, (float("-inf"), "", ()))
        if version != relation.version or now - read_at >= ttl_s:
            columns = statistics.columns(database, relation)
            self._known[key] = (now, relation.version, columns)
        return columns

    def forget(self, database: str, relation: StatsRelation) -> None:
        """Read the columns again, because PostgreSQL does not know one of them."""
        self._known.pop((database, relation.schema, relation.name), None)


COLUMNS = ColumnCache()


def has_column(table: str, column: str, *, database: str = DEFAULT_DB_ALIAS) -> bool:
    """Return whether a table or view exists and has a column."""
    relation, ttl_s = statistics.find_relation(database, table), conf.load().roi_cache_ttl_seconds
    if relation is None:
        return False
    return any(one.name == column for one in COLUMNS.columns_of(database, relation, ttl_s=ttl_s))
