"""Seeder's settings as one frozen, validated object.

A setting is read from the dictionary `SEEDER` in the host's settings (`SEEDER = {"MAX_WORKERS": 4}`), otherwise from
the environment variable with the prefix `SEEDER_`, otherwise from its default.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from math import isfinite
from typing import Any

from django.conf import settings

from seeder import settings_readers
from seeder.domain.consistent_groups import GroupSetting
from seeder.domain.group_options import GroupOptions
from seeder.domain.maintenance_windows import MaintenanceWindow, parse_windows
from seeder.domain.notifications.channels import Channel, parse_channels
from seeder.domain.snapshots.drift_rules import DifferenceKind, Direction, DriftRule, Severity
from seeder.domain.view_names import ViewName
from seeder.errors import BadName, ConfigurationError
from seeder.settings_readers import (
    REDACTED,
    boolean,
    boolean_or,
    by_agency,
    integer,
    one_of,
    read_settings,
    secret,
    setting,
    text,
    throttle_rate,
)
from seeder.texts import Text


def _database_aliases(name: str, value: object) -> Mapping[int, str]:
    aliases = settings.DATABASES
    if not isinstance(value, Mapping) or not all(type(one) is int and value[one] in aliases for one in value):
        expected = Text("a map of database ids to aliases in DATABASES: {aliases}", aliases=", ".join(aliases))
        raise ConfigurationError(setting=name, value=value, expected=expected)
    return dict(value)


def _consistent_groups(name: str, value: object) -> Sequence[GroupSetting]:
    expected = Text(
        "a map of names to groups such as {example}",
        example={"month end": {"views": ["reporting.a", "reporting.b"], "agencies": ["demo"], "allow_blocking": False}},
    )
    try:
        return [_group_setting(group, dict(facts)) for group, facts in value.items()]  # type: ignore[attr-defined]
    except (TypeError, ValueError, AttributeError, BadName) as error:
        raise ConfigurationError(setting=name, value=value, expected=expected) from error


def _group_setting(name: object, facts: dict[str, Any]) -> GroupSetting:
    """Read a group. Raises `TypeError`, `ValueError` or `BadName`."""
    views, agencies = facts.pop("views", []), facts.pop("agencies", [])
    options = {name: facts.pop(name, False) for name in ("allow_blocking", "publish_without_held")}
    limit = facts.pop("max_seconds", None)
    are_lists = all(isinstance(one, list | tuple) for one in (views, agencies))
    are_options = all(isinstance(one, bool) for one in options.values())
    is_limit = limit is None or (type(limit) is int and limit > 0)
    if facts or not (are_lists and are_options and is_limit) or not (views or agencies):
        raise ValueError(name)
    return GroupSetting(
        name=str(name),
        views=frozenset(map(ViewName.parse, views)),
        agencies=frozenset(map(str, agencies)),
        options=GroupOptions(**options, max_duration=None if limit is None else timedelta(seconds=limit)),
    )


def _maintenance_windows(name: str, value: object) -> Sequence[MaintenanceWindow]:
    try:
        return parse_windows(text(name, value), default_zone=settings.TIME_ZONE)
    except ValueError as error:
        expected = Text(
            "windows such as '01:00-05:00; sat,sun 22:00-08:00 Europe/Berlin', in time zones that are known here"
        )
        raise ConfigurationError(setting=name, value=value, expected=expected) from error


def _view_names(name: str, value: object) -> Sequence[ViewName]:
    names = text(name, value).split(",")
    try:
        return [ViewName.parse(one) for one in names if one.strip()]
    except BadName as error:
        expected = Text("names of views, separated by commas, such as reporting.a, reporting.b")
        raise ConfigurationError(setting=name, value=value, expected=expected) from error


def _channels(name: str, value: object) -> Sequence[Channel]:
    if not isinstance(value, Mapping):
        example = {"on call": {"email": ["a@example.org"]}}
        expected = Text("a map of names to channels such as {example}", example=example)
        raise ConfigurationError(setting=name, value=REDACTED, expected=expected)
    try:
        return [*parse_channels(value)]
    except ValueError as error:
        raise ConfigurationError(setting=name, value=REDACTED, expected=str(error)) from None


def _drift_rules(name: str, value: object) -> Sequence[DriftRule]:
    expected = Text(
        "a list of rules such as {example}",
        example={"kind": "rows", "severity": "breaking", "relative": 0.2, "direction": "falling"},
    )
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise ConfigurationError(setting=name, value=value, expected=expected)
    return [_drift_rule(name, one, expected) for one in value]


def _drift_rule(name: str, value: object, expected: str) -> DriftRule:
    try:
        rule_values = dict(value)  # type: ignore[call-overload]  # anything that is not a map raises below
        readers: Mapping[str, Callable[[Any], Any]]
        readers = {"kind": DifferenceKind, "severity": lambda word: Severity[word.upper()], "direction": Direction}
        return DriftRule(**{key: readers.get(key, _minimum)(one) for key, one in rule_values.items()})
    except (TypeError, ValueError, KeyError, AttributeError, OverflowError) as error:
        raise ConfigurationError(setting=name, value=value, expected=expected) from error


def _minimum(value: object) -> float:
    """Read a minimum. Raises `ValueError` or `OverflowError`."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value) or value < 0:
        raise ValueError(value)
    return float(value)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """All settings. The name in upper case is the setting's name, and docs/reference/settings.md has the docstring."""

    max_workers: int = setting(integer(1), default=8)
    """Refreshes at once in each database, and so connections to it. The run needs one more, to the default database."""
    batch_size: int = setting(integer(1), default=8)
    """Maximum number of views that start together."""
    start_delay_ms: int = setting(integer(0), default=0)
    """Delay between two batches."""
    shared_refresh_ms: int = setting(integer(0), default=20)
    """Plain refreshes that take less than this by their history
    [share a transaction](../explanation/concurrency.md#shared-transactions) of about 50 ms. 0: each has its own."""
    max_db_active_queries: int = setting(integer(0), default=0)
    """Throttle: a batch waits while this many client sessions on the server are not idle. 0: no throttle. Sessions that
    are *idle in transaction* count. The role needs `pg_read_all_stats` to see other sessions; otherwise the run warns.
    """
    max_wait_seconds: int = setting(integer(1), default=3600)
    """A database that is on hold this long gives up its remaining views, which end in error. Also the maximum wait for
    another run that refreshes the same view."""
    max_failures: int = setting(integer(1), default=5)
    """Failures in a row that open the circuit breaker of a database: nothing more starts there."""
    reset_seconds: int = setting(integer(1), default=300)
    """Time until an open circuit breaker lets one view through, preferably one that succeeded last time. Its success
    closes the breaker."""
    breaker_counts: str = setting(one_of("all", "server"), default="all")
    """Failures that the circuit breaker counts. `all`: every failed refresh. `server`: only faults of the server, such
    as lost or refused connections, no resources, a shutdown, or read-only."""
    refresh_concurrently: bool | str = setting(boolean_or("auto"), default=False)
    """Try `REFRESH … CONCURRENTLY` first, which does not block readers. It takes longer and needs a unique index.
    `auto`: refresh each view plainly if that takes at most `READER_WAIT_BUDGET_MS` by its history, or in a maintenance
    window, otherwise concurrently."""
    reader_wait_budget_ms: int = setting(integer(0), default=200)
    """How long readers may wait for a plain refresh if `REFRESH_CONCURRENTLY` is `auto`. Data checks of plain refreshes
    that take longer run [before the refresh](../how-to/data-checks.md#cost) if possible."""
    maintenance_windows: Sequence[MaintenanceWindow] = setting(_maintenance_windows, default=())
    """Local times at which readers may wait for plain refreshes if `REFRESH_CONCURRENTLY` is `auto`, such as
    `01:00-05:00; sat,sun 22:00-08:00 Europe/Berlin`. Days are those of the start (default: every day). The default
    zone is the host's. A refresh must be expected to end in the window."""
    concurrent_fallback: bool = setting(boolean, default=True)
    """Refresh plainly, with a note, if a view cannot be refreshed concurrently (no usable unique index, never filled).
    If false, such a view fails and readers are never blocked."""
    consistent_groups: Sequence[GroupSetting] = setting(_consistent_groups, default=list)
    """[Groups of views](../how-to/consistent-groups.md) that become visible together, as a map of names to `views`,
    `agencies` and options (default: none). A run that selects one view of a group refreshes all of them, in one
    transaction and concurrently."""
    vacuum_churn_percent: int = setting(integer(0, 100), default=5)
    """`VACUUM` a view at the end of the run if a concurrent refresh changed or deleted at least this percentage of its
    rows. 0: never. It blocks no reader, and skips a view that is locked. Without it, ten refreshes that change every
    row make a view ten times as large."""
    lock_timeout_ms: int = setting(integer(1), default=2000)
    """How long a refresh waits for each lock, and so how long readers queue behind it. Must exceed the server's
    `deadlock_timeout`, or a blocking autovacuum is never cancelled."""
    statement_timeout_ms: int = setting(integer(0), default=0)
    """Time limit of a refresh. 0: none."""
    check_timeout_ms: int = setting(integer(1), default=60_000)
    """Time limit of each statement of a [data check](../how-to/data-checks.md). A check that exceeds it could not run,
    so it holds its view if its severity is `error`."""
    check_samples: int = setting(integer(0, 100), default=5)
    """Bad rows of each failed data check that are stored and shown. 0: none. Only users with `seeder.view_errors` see
    them."""
    change_sample_timeout_ms: int = setting(integer(1), default=30_000)
    """Time limit of the comparison for a [sample of changed rows](../how-to/changed-rows.md). Readers of a plain
    refresh wait for it. A refresh whose comparison takes longer has no sample."""
    change_sample_max_mb: int = setting(integer(1), default=1024)
    """Maximum size of a view, without indexes, of which a sample of changed rows is taken. Its rows are copied to a
    temporary table."""
    hold_dependents: bool = setting(boolean, default=False)
    """Do not refresh views that read a view that its data checks held in the same run. If false, they are refreshed
    from its old rows, with a note."""
    parallel_when_busy: bool | str = setting(boolean_or("auto"), default="auto")
    """Use parallel query for views that start while all workers are busy. If false, they refresh with
    `max_parallel_workers_per_gather = 0`. Parallel query makes one refresh faster, but all together slower if the
    workers already use every core. `auto`: what took less in earlier runs
    ([rules](../explanation/performance.md#parallel-query))."""
    skip_unchanged: bool = setting(boolean, default=True)
    """Skip the refresh of a view if it is [proved](../explanation/skipping.md) that it would publish the same rows.
    Only views whose refresh takes at least 0.25 s, and whose inputs were unchanged lately, are considered."""
    never_skip: Sequence[ViewName] = setting(_view_names, default=())
    """Views that are always refreshed, separated by commas: `reporting.a, reporting.b`."""
    max_retries: int = setting(integer(0, 100), default=3)
    """Retries of a view after a lock timeout, a deadlock, a lost connection, or a server that is starting or full. The
    delays are random and grow from half a second to half a minute. Errors in the query, the data or the privileges are
    not retried."""
    queue_parts: int = setting(integer(1), default=8)
    """Maximum number of parts of a queued request for everything, so that several workers share it."""
    nightly_cron: str = setting(text, default="0 2 * * *")
    """When `manage.py schedule_refreshes` has every report queued, as a cron expression in the host's time zone. Empty:
    never."""
    agency_crons: Mapping[str, str] = setting(
        by_agency(str, Text("a map of agency slugs to cron expressions")), default=dict
    )
    """Additional times for single agencies, as a map of slugs to cron expressions: `{'demo': '0 12 * * 1-5'}`."""
    snapshot_connections: int = setting(integer(1), default=2)
    """Connections that share the work of release snapshots: the columns of one view, or several views."""
    snapshot_memory_mb: int = setting(integer(1), default=256)
    """Memory of the server for all of these connections together. A column that needs more than its share spills to
    disk."""
    drift_rules: Sequence[DriftRule] = setting(_drift_rules, default=list)
    """Rules for the severity of differences between two release snapshots, in place of the defaults of the same kind.
    """
    stale_hours: int = setting(integer(1), default=26)
    """Age of a view's last success after which it is late. The default is two hours more than a day."""
    long_running_factor: int = setting(integer(1), default=3)
    """A view is long-running after this many times its last successful duration, but not before this many seconds."""
    history_days: int = setting(integer(0, 36_500), default=400)
    """Age after which `manage.py prune_history` deletes ended runs; nothing else deletes them. 0: keep everything. The
    default of 13 months keeps the same month-end of the last year."""
    notifications: Sequence[Channel] = setting(_channels, default=list)
    """[Channels](../how-to/notifications.md) that are notified of failed, recovered, held and late views, as a map of
    names to `email`, `webhook`, `apprise` or `openlineage` and options (default: none). No command, log or check shows
    secrets and addresses."""
    freshness_link_versions: Mapping[str, int] = setting(
        by_agency(int, Text("a map of agency slugs to whole numbers")), default=dict
    )
    """Versions of [freshness links](../how-to/freshness.md#for-readers-of-reports), as a map of agency slugs to
    numbers (default: 1). Another number revokes the agency's links."""
    agency_scope: str = setting(text, default="")
    """Dotted path of a callable that takes a user and returns the slugs of the agencies that this user may see, or None
    for all. Empty: every user may see all. Applies to the API and the pages."""
    agency_model: str = setting(text, default="")
    """The host's model of agencies, as `app.Model`. `str()` of the object with the primary key `agency_id` is the
    agency's name. Empty: the slug is."""
    allow_manifest_editing: bool = setting(boolean, default=False)
    """Whether users with `seeder.edit_manifests` can create and change manifests in the admin and the API. A query is
    code that runs as the refreshing role."""
    api_write_rate: str = setting(throttle_rate, default="60/min")
    """Calls that start something, for each user: a number and `/sec`, `/min`, `/hour` or `/day`. Counted in Django's
    default cache, so in each process if it is not shared."""
    log_format: str = setting(one_of("text", "json"), default="text")
    """Format of the log `seeder`. `text`: the event, then `name=value`. `json`: one object."""
    metrics_token: str = setting(secret, default="")
    """Secret with which a program can read the metrics, as `Authorization: Bearer …`. Empty: only a login that may see
    all agencies can. No command, log or check shows it."""
    metrics_window_hours: int = setting(integer(1), default=24)
    """What *recent* means in the metrics. Must be less than `HISTORY_DAYS`."""
    metrics_views: int = setting(integer(0), default=10000)
    """Maximum number of views with a metric of their last success, oldest first; a series each."""
    databases: Mapping[int, str] = setting(_database_aliases, default=dict)
    """Which Django database a manifest's `database_id` means, as a map of ids to aliases. Empty: all mean `default`."""

    @property
    def chooses_mode(self) -> bool:
        """Whether the mode of each refresh is chosen by measurement."""
        return self.refresh_concurrently == "auto"


def load() -> Settings:
    """Read and validate the settings. Raises `ConfigurationError` for the first invalid one."""
    if not settings.USE_TZ:  # otherwise Django would store the database's times as local times
        raise ConfigurationError(setting="USE_TZ", value=False, expected=Text("True: every instant has a time zone"))
    return read_settings(Settings, getattr(settings, "SEEDER", {}), name="SEEDER")


def ignored_variables() -> Iterator[tuple[str, str]]:
    """Yield each environment variable that looks like a setting but has no effect, with a message without its value."""
    return settings_readers.ignored_variables(Settings, name="SEEDER")


def django_q_settings() -> Mapping[str, Any]:
    """Return django-q2's own settings."""
    configured: object = getattr(settings, "Q_CLUSTER", {})
    return configured if isinstance(configured, Mapping) else {}
