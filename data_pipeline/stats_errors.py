"""Expected errors of statistics. The docstring of an error is its message, as in `seeder.errors`."""

from data_pipeline.errors import PipelineError
from seeder.errors import ConfigurationError, DatabaseError, UnknownObject


class StatisticError(PipelineError):
    """A statistic cannot be read."""


class InvalidROIViewError(ConfigurationError, StatisticError):
    """{setting} is {value!r}, but must be one of ROI_VIEWS_ALLOWED: {expected}."""


class UnknownStatistic(UnknownObject, StatisticError):
    """There is no statistic {name!r}. STATS_VIEWS has those of the host."""


class StatisticViewMissing(DatabaseError, StatisticError):
    """The view {view} of the statistic {name!r} does not exist. Create it, or correct the setting that names it."""


class StatisticViewEmpty(DatabaseError, StatisticError):
    """The view {view} of the statistic {name!r} was never filled. Refresh it: `manage.py refresh_table {view}`"""


class StatisticViewReplaced(DatabaseError, StatisticError):
    """The view {view} was replaced {attempts} times while it was read. Try again later."""


class ScoreColumnMissing(ConfigurationError, StatisticError):
    """{setting} is {value}, but must name a column of {view} that has values to compare: {expected}."""


class PeriodTooLong(StatisticError):
    """The period from {date_from} to {date_to} is longer than {days} days. Begin on {earliest} or later."""


class PageOutdated(StatisticError):
    """{view} was refreshed or altered after the page before. Begin again with the first page."""


class TooManyScoredRows(StatisticError):
    """The view {view} has more than {limit} rows of these ids. Give fewer ids."""


class FilterError(StatisticError):
    """A filter of a statistic is invalid."""


class UnknownFilter(FilterError):
    """{parameter!r} is neither a parameter nor a column of the statistic. Its columns: {columns}."""


class ColumnNotFilterable(FilterError):
    """{parameter!r} has the type {type}, which has no equal values. Filter by another column."""


class BadFilterValue(FilterError):
    """{parameter!r} must be {expected}."""


class NoDateColumn(FilterError):
    """{parameter!r} limits no column: the statistic has {found}. STATS_DATE_COLUMNS names one."""
