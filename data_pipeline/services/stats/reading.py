"""Statistics and scores: filtered rows of a whitelisted view."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import partial
from hashlib import blake2b

from django.utils import timezone

from data_pipeline import conf
from data_pipeline.domain.stats_periods import clamp_period
from data_pipeline.domain.stats_queries import (
    AGENCY_COLUMN,
    StatsColumn,
    StatsQuery,
    find_date_column,
    parse_filters,
    require_constants,
)
from data_pipeline.postgres import statistics
from data_pipeline.postgres.statistics import StatsRelation
from data_pipeline.services.stats import scope, views
from data_pipeline.services.stats.snapshot_reading import ReadRows, RowSource, read_rows
from data_pipeline.statistics_settings import ROI, StatisticsSettings
from data_pipeline.stats_errors import PageOutdated, ScoreColumnMissing, TooManyScoredRows

MAX_SCORED_ROWS = 5000


@dataclass(frozen=True, kw_only=True, slots=True)
class StatisticRequest:
    """A page of a statistic that a user wants to see."""

    name: str
    agencies: Sequence[str] | None  # of the user; None for all
    filters: Mapping[str, str]  # texts of values, separated by commas, by column
    date_from: date | None = None
    date_to: date | None = None
    offset: int = 0  # of the page's first row
    version: str | None = None  # of the view on the page before; None on the first page
    page_size: int = 100


@dataclass(frozen=True, kw_only=True, slots=True)
class Statistic:
    """A page of rows."""

    read: ReadRows
    has_more: bool  # on further pages
    version: str  # of the view: pages of one version belong together


@dataclass(frozen=True, kw_only=True, slots=True)
class Score:
    """The rows of some ids."""

    read: ReadRows
    id_column: str
    not_found: Sequence[str]


def read_statistic(request: StatisticRequest, *, clock: Callable[[], datetime] = timezone.now) -> Statistic:
    """Read a page of a statistic.

    Raises `PageOutdated` if the view was refreshed after the page before, and other errors of `StatisticError`,
    `ConfigurationError` or `DatabaseError`.
    """
    settings = conf.load()

    def plan(relation: StatsRelation, columns: Sequence[StatsColumn]) -> StatsQuery:
        if request.version not in {None, _page_version(relation)}:
            raise PageOutdated(view=relation.view)
        query = StatsQuery(
            filters=parse_filters(columns, request.filters),
            limit=request.page_size + 1,
            offset=request.offset,
        )
        query = _limit_to_agencies(query, request.name, relation, columns, request.agencies)
        return _limit_to_period(query, request, columns, settings, today=clock().astimezone(UTC).date())

    view = views.view_of(request.name, settings)
    found = read_rows(RowSource(name=request.name, view=view, settings=settings, plan=plan, fetch=statistics.read_rows))
    rows, more = found.rows[: request.page_size], found.rows[request.page_size :]
    return Statistic(read=replace(found, rows=rows), has_more=bool(more), version=_page_version(found.relation))


def _page_version(relation: StatsRelation) -> str:
    """Return a text that differs after each refresh.

    It contains no facts of the server.
    """
    return blake2b(relation.version.encode(), digest_size=8).hexdigest()


def _limit_to_agencies(
    query: StatsQuery,
    name: str,
    relation: StatsRelation,
    columns: Sequence[StatsColumn],
    agencies: Sequence[str] | None,
) -> StatsQuery:
    visible = scope.visible_agencies_of_rows(name, relation.view, columns, agencies)
    if visible is None:
        return query
    wanted = query.filters.get(AGENCY_COLUMN, visible)
    return replace(query, filters={**query.filters, AGENCY_COLUMN: [one for one in wanted if one in visible]})


def _limit_to_period(
    query: StatsQuery,
    request: StatisticRequest,
    columns: Sequence[StatsColumn],
    settings: StatisticsSettings,
    *,
    today: date,
) -> StatsQuery:
    given = "date_from" if request.date_from else "date_to" if request.date_to else None
    column = find_date_column(columns, configured=settings.stats_date_columns.get(request.name), parameter=given)
    if column is None:
        return query
    period = clamp_period(
        request.date_from,
        request.date_to,
        today=today,
        max_days=settings.stats_max_days,
        require_clamp=settings.require_clamp,
    )
    return replace(query, date_column=column, period=period)


def read_score(ids: Sequence[str], agencies: Sequence[str] | None) -> Score:
    """Read the rows of the ROI view that have some ids.

    They are in the order of the ids. Raises `StatisticError`, `ConfigurationError` or `DatabaseError`.
    """
    settings, wanted = conf.load(), list(dict.fromkeys(ids))
    find_id = partial(_id_column, settings.score_id_columns)

    def plan(relation: StatsRelation, columns: Sequence[StatsColumn]) -> StatsQuery:
        column = find_id(relation, columns)
        require_constants(column, wanted)
        query = StatsQuery(filters={column.name: wanted}, limit=MAX_SCORED_ROWS + 1)
        return _limit_to_agencies(query, ROI, relation, columns, agencies)

    def fetch(
        database: str, relation: StatsRelation, columns: Sequence[StatsColumn], query: StatsQuery
    ) -> Sequence[Sequence[object]]:
        return statistics.read_scores(database, relation, columns, query, by=find_id(relation, columns))

    view = views.current_roi_view(settings)
    found = read_rows(RowSource(name="score", view=view, settings=settings, plan=plan, fetch=fetch))
    if len(found.rows) > MAX_SCORED_ROWS:
        raise TooManyScoredRows(view=found.relation.view, limit=MAX_SCORED_ROWS)
    return Score(
        read=replace(found, rows=[row for _, is_found, *row in found.rows if is_found]),
        id_column=find_id(found.relation, found.columns).name,
        not_found=[wanted[position] for position, is_found, *_ in found.rows if not is_found],
    )


def _id_column(names: Sequence[str], relation: StatsRelation, columns: Sequence[StatsColumn]) -> StatsColumn:
    comparable = {one.name: one for one in columns if one.equality is not None}
    for name in names:
        if name in comparable:
            return comparable[name]
    expected = ", ".join(comparable)
    raise ScoreColumnMissing(setting="SCORE_ID_COLUMNS", value=", ".join(names), view=relation.view, expected=expected)
