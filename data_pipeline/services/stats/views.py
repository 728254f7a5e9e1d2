"""Which view each statistic reads."""

from data_pipeline import conf
from data_pipeline.statistics_settings import RETURNS, ROI, StatisticsSettings
from data_pipeline.stats_errors import InvalidROIViewError, UnknownStatistic

_LIVE_RETURNS = "returns_raw"  # the table of the dialect `returns_report`


def current_roi_view(settings: StatisticsSettings | None = None) -> str:
    """Return the view of ROI_VIEW_NAME.

    Raises `InvalidROIViewError` unless it is one of ROI_VIEWS_ALLOWED.
    """
    settings = settings or conf.load()
    if settings.roi_view_name not in settings.roi_views_allowed:
        allowed = ", ".join(settings.roi_views_allowed)
        raise InvalidROIViewError(setting="ROI_VIEW_NAME", value=settings.roi_view_name, expected=allowed)
    return settings.roi_view_name


def view_of(name: str, settings: StatisticsSettings) -> str:
    """Return the view of a statistic. Raises `UnknownStatistic` or `InvalidROIViewError`."""
    if name == ROI:
        return current_roi_view(settings)
    if name == RETURNS:
        return settings.returns_stats_view_name or _LIVE_RETURNS
    if name not in settings.stats_views:
        raise UnknownStatistic(name=name)
    return settings.stats_views[name]
