"""Which rows of a statistic a user may see."""

from collections.abc import Sequence

from data_pipeline.domain.stats_queries import AGENCY_COLUMN, StatsColumn
from data_pipeline.stats_errors import UnknownStatistic
from seeder.domain.view_names import ViewName
from seeder.errors import UnknownTable
from seeder.services.read_models import agency_scope


def visible_agencies_of_rows(
    name: str, view: ViewName, columns: Sequence[StatsColumn], agencies: Sequence[str] | None
) -> Sequence[str] | None:
    """Return the agencies that limit the rows. None: all rows.

    A view with a column `agency_slug` is limited by it. Another one is visible as a whole if a manifest of one of the
    agencies names it. Raises `UnknownStatistic` otherwise.
    """
    if agencies is None:
        return None
    if any(one.name == AGENCY_COLUMN and one.equality is not None for one in columns):
        return sorted(set(agencies))
    try:
        agency_scope.require_visible_table(str(view), list(agencies))
    except UnknownTable as error:
        raise UnknownStatistic(name=name) from error
    return None
