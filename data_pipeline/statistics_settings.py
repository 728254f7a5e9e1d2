"""Settings of statistics: their views, filters and cache."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from seeder.domain.view_names import ViewName
from seeder.errors import ConfigurationError
from seeder.settings_readers import boolean, integer, password, setting, text
from seeder.texts import Text

ROI, RETURNS = "roi", "returns"  # statistics that every host has
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,62}", re.ASCII)


def _view(name: str, value: object) -> str:
    if not isinstance(value, str) or ViewName.parse_or_none(value) is None:
        raise ConfigurationError(setting=name, value=value, expected=Text("the name of a view"))
    return value


def _optional_view(name: str, value: object) -> str:
    return "" if value == "" else _view(name, value)


def _list(name: str, value: object, expected: str) -> Sequence[str]:
    items = value.split(",") if isinstance(value, str) else value
    if not isinstance(items, Sequence) or not all(isinstance(one, str) for one in items):
        raise ConfigurationError(setting=name, value=value, expected=expected)
    return [one.strip() for one in items if one.strip()]


def _views_allowed(name: str, value: object) -> Sequence[str]:
    return [_view(name, one) for one in _list(name, value, Text("names of views, separated by commas"))]


def _columns(name: str, value: object) -> Sequence[str]:
    return _list(name, value, Text("names of columns, separated by commas"))


def _views(name: str, value: object) -> Mapping[str, str]:
    """Read the host's own statistics: their names, as in the path, and the view of each."""
    expected = Text(
        "a dictionary of names of statistics and views, without 'roi' and 'returns'; a name has at most 63 lower-case"
        " letters, digits, hyphens and underscores, with a letter first"
    )
    if not isinstance(value, Mapping) or not all(
        isinstance(key, str) and _NAME.fullmatch(key) and key not in {ROI, RETURNS} for key in value
    ):
        raise ConfigurationError(setting=name, value=value, expected=expected)
    return {key: _view(f"{name}[{key!r}]", view) for key, view in value.items()}


def _date_columns(name: str, value: object) -> Mapping[str, str]:
    expected = Text("a dictionary of names of statistics and columns")
    if not isinstance(value, Mapping) or not all(isinstance(text, str) for pair in value.items() for text in pair):
        raise ConfigurationError(setting=name, value=value, expected=expected)
    return dict(value)


@dataclass(frozen=True, kw_only=True)
class StatisticsSettings:
    """The settings of statistics, as a part of `conf.Settings`."""

    stats_views: Mapping[str, str] = setting(_views, default=dict)
    """Statistics of the host and their views, such as `{"fees": "reporting.mat_fees_expanded"}`, beside `roi` and
    `returns`. A view without a schema is in `reporting`, otherwise in the search path."""
    stats_date_columns: Mapping[str, str] = setting(_date_columns, default=dict)
    """Columns that `date_from` and `date_to` limit, by the names of statistics. Without one, it is the only column of a
    date or a timestamp."""
    roi_view_name: str = setting(_view, default="v_roi_full", variable="ROI_VIEW_NAME")
    """View of the statistic `roi` and of scores. It must be one of `ROI_VIEWS_ALLOWED`."""
    roi_views_allowed: Sequence[str] = setting(
        _views_allowed,
        default=("v_roi_full", "roi_view", "mat_v_roi_full", "test_roi_view"),
        variable="ROI_VIEWS_ALLOWED",
    )
    """Views that `ROI_VIEW_NAME` may name."""
    returns_stats_view_name: str = setting(_optional_view, default="", variable="RETURNS_STATS_VIEW_NAME")
    """View of the statistic `returns`. Empty: the table `returns_raw`, with every load until now."""
    score_id_columns: Sequence[str] = setting(_columns, default=("asin", "sku", "id"))
    """Columns that can identify the rows of a score. The first that the view has is used."""
    roi_cache_ttl_seconds: int = setting(integer(0), default=300, variable="ROI_CACHE_TTL_SECONDS")
    """Seconds for which a process keeps the columns of a view, unless it is refreshed or replaced."""
    stats_max_days: int = setting(integer(1, 36_525), default=365, variable="STATS_MAX_DAYS")
    """Days before `date_to` that a statistic covers at most."""
    require_clamp: bool = setting(boolean, default=False, variable="REQUIRE_CLAMP")
    """Refuse a longer period with the status 422. Otherwise its beginning is moved, and the answer says so."""
    stats_timeout_s: int = setting(integer(1, 600), default=15)
    """Seconds after which PostgreSQL ends a query of a statistic."""
    stats_enable_cache: bool = setting(boolean, default=False, variable="STATS_ENABLE_CACHE")
    """Keep rows of materialized views in a cache until the next refresh."""
    stats_cache_ttl_s: int = setting(integer(1), default=300, variable="STATS_CACHE_TTL_S")
    """Seconds for which the cache keeps rows that are not replaced by a refresh before."""
    stats_cache_namespace: str = setting(text, default="stats:", variable="STATS_CACHE_NAMESPACE")
    """Beginning of the keys of statistics, behind `CACHE_NAMESPACE`."""
    stats_cache_alias: str = setting(text, default="default")
    """Cache of Django's `CACHES` that is used without `CACHE_REDIS_URL`."""
    cache_redis_url: str = setting(password, default="", variable="CACHE_REDIS_URL")
    """Address of the Redis with the cache, such as `redis://cache.internal:6379/0`. Empty: `REDIS_URL`. Needs the extra
    `redis`."""
    redis_url: str = setting(password, default="", variable="REDIS_URL")
    """Address of a Redis that the host uses, for the cache if `CACHE_REDIS_URL` is empty."""
    cache_namespace: str = setting(text, default="", variable="CACHE_NAMESPACE")
    """Beginning of every key in the cache. Databases that share a cache need different ones."""

    @property
    def stats_redis_url(self) -> str:
        """The Redis of the cache, or an empty text."""
        return self.cache_redis_url or self.redis_url
