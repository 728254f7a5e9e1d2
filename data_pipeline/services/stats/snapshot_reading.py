"""Reads rows of a view and their loads in one snapshot.

A refresh can end at any time. One that is concurrent changes nothing for a snapshot that is older. Any other gives the
view a file of rows that every snapshot sees, so the view is locked, and read again if its file was replaced meanwhile.

Rows of a materialized view can come from the cache. Their key has the version of the view, which each refresh changes,
and rows are used or kept only under the version of the snapshot in which they were read. A table or a plain view has no
such version, so its rows are never kept.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from math import isfinite
from typing import Any

from django.db import DEFAULT_DB_ALIAS, Error

from data_pipeline.domain.stats_queries import StatsColumn, StatsQuery
from data_pipeline.postgres import statistics
from data_pipeline.postgres.error_translation import translate_errors
from data_pipeline.postgres.statistics import StatsRelation
from data_pipeline.services.stats import cache
from data_pipeline.services.stats.cache import Rows
from data_pipeline.services.stats.columns import COLUMNS
from data_pipeline.statistics_settings import StatisticsSettings
from data_pipeline.stats_errors import (
    BadFilterValue,
    StatisticViewEmpty,
    StatisticViewMissing,
    StatisticViewReplaced,
)
from seeder.domain.as_of import RelationAsOf
from seeder.postgres import transactions
from seeder.services.read_models import view_as_of
from seeder.texts import Text

_MAX_ATTEMPTS = 5
_DATABASE = DEFAULT_DB_ALIAS  # which has the history of refreshes, and the log of loads


@dataclass(frozen=True, kw_only=True, slots=True)
class ReadRows:
    """Rows of a view, and as of when they are."""

    relation: StatsRelation
    as_of: RelationAsOf
    columns: Sequence[StatsColumn]
    query: StatsQuery
    rows: Rows


@dataclass(frozen=True, kw_only=True, slots=True)
class RowSource:
    """How the rows of a statistic are read.

    `plan` returns the query for the columns of a view. It may raise `StatisticError`.
    """

    name: str
    view: str
    settings: StatisticsSettings
    plan: Callable[[StatsRelation, Sequence[StatsColumn]], StatsQuery]
    fetch: Callable[[str, StatsRelation, Sequence[StatsColumn], StatsQuery], Rows]


class _Replaced(Exception):
    """The view was refreshed, altered or replaced while it was read."""


def read_rows(source: RowSource) -> ReadRows:
    """Read the rows of a statistic.

    Raises `StatisticError` or `DatabaseError`.
    """
    with translate_errors(_DATABASE):
        for _ in range(_MAX_ATTEMPTS):
            try:
                return _read(source)
            except _Replaced:
                continue
    raise StatisticViewReplaced(view=source.view, attempts=_MAX_ATTEMPTS)


def _read(source: RowSource) -> ReadRows:
    relation = _find(source)
    columns = COLUMNS.columns_of(_DATABASE, relation, ttl_s=source.settings.roi_cache_ttl_seconds)
    query = source.plan(relation, columns)
    rows_cache = cache.row_cache(source.settings)
    if rows_cache is None or not relation.is_materialized:
        return _read_snapshot(source, relation, columns, query, None)
    key = _key(source, relation, columns, query)
    kept = rows_cache.get(key)
    found = _read_snapshot(source, relation, columns, query, kept)
    if kept is None:
        rows_cache.set(key, found.rows, ttl_s=source.settings.stats_cache_ttl_s)
    return found


def _read_snapshot(
    source: RowSource,
    relation: StatsRelation,
    columns: Sequence[StatsColumn],
    query: StatsQuery,
    kept: Rows | None,
) -> ReadRows:
    """Read in one snapshot. Raises `_Replaced` if the view is not in the given version there."""
    try:
        with transactions.read_only_snapshot(_DATABASE):
            statistics.set_time_limit(_DATABASE, timedelta(seconds=source.settings.stats_timeout_s))
            if _find(source) != relation:
                raise _Replaced
            as_of = view_as_of.relation_as_of(_DATABASE, relation.view, kind=relation.kind, oid=relation.oid)
            rows = kept if kept is not None else _fetch(source, relation, columns, query)
    except Error as error:
        _explain(error, relation, columns, query)
        raise
    return ReadRows(relation=relation, as_of=as_of, columns=columns, query=query, rows=rows)


def _find(source: RowSource) -> StatsRelation:
    relation = statistics.find_relation(_DATABASE, source.view)
    if relation is None:
        raise StatisticViewMissing(view=source.view, name=source.name)
    if not relation.is_populated:
        raise StatisticViewEmpty(view=relation.view, name=source.name)
    return replace(relation, is_current=True)  # only a lock can tell


def _fetch(source: RowSource, relation: StatsRelation, columns: Sequence[StatsColumn], query: StatsQuery) -> Rows:
    if not statistics.lock_rows(_DATABASE, relation):
        raise _Replaced
    return [[_json_value(value) for value in row] for row in source.fetch(_DATABASE, relation, columns, query)]


def _json_value(value: Any) -> Any:
    """Return a number that JSON does not have in PostgreSQL's spelling."""
    if isinstance(value, float) and not isfinite(value):
        return "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"  # noqa: PLR0124  # NaN is not equal
    return value


def _explain(error: Error, relation: StatsRelation, columns: Sequence[StatsColumn], query: StatsQuery) -> None:
    """Raise another error if a filter or outdated columns caused it."""
    if statistics.is_undefined_column(error) and statistics.columns(_DATABASE, relation) != columns:
        COLUMNS.forget(_DATABASE, relation)
        raise _Replaced from error
    if statistics.is_refused_value(error):
        column = statistics.refused_filter(_DATABASE, columns, query.filters)
        if column is not None:
            expected = Text("a value of the type {type}", type=column.type)
            raise BadFilterValue(parameter=column.name, expected=expected) from error


def _key(source: RowSource, relation: StatsRelation, columns: Sequence[StatsColumn], query: StatsQuery) -> str:
    facts = {
        "statistic": source.name,
        "view": str(relation.view),
        "version": relation.version,
        "columns": repr([(one.name, one.type) for one in columns]),
        "query": query.as_text(),
    }
    return cache.key_of(source.settings, facts)
