"""Chooses the modes of a run's refreshes by what earlier ones took.

The facts are read once with the plan: one statement for the history, and one for each database.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from statistics import median

from django.db import DEFAULT_DB_ALIAS, Error

from seeder.conf import Settings
from seeder.domain.manifests import ViewKey, ViewSpec
from seeder.domain.mode_predictor import PastRefresh, RefreshMode, learn_scale
from seeder.domain.plan import PlannedAction, PlannedView, RefreshPlan
from seeder.domain.refresh_mode import ModeChoice, ModeFacts, ReaderLimits, choose_mode
from seeder.postgres import catalog, sessions
from seeder.postgres.contract import OptionalTables
from seeder.postgres.named_statements import STATEMENTS
from seeder.postgres.sqlstates import translate_database_errors

_MAX_PAST = 15  # refreshes of each view: enough for one that is refreshed plainly once in two weeks
_MIN_VIEWS_OF_SCALE = 3


def add_modes(plan: RefreshPlan, settings: Settings, tables: OptionalTables | None = None) -> RefreshPlan:
    """Return the plan with the mode of each refresh as of now, if `REFRESH_CONCURRENTLY` is auto."""
    refreshed = [view for view in plan.views if view.action is PlannedAction.REFRESH]
    if not settings.chooses_mode or not refreshed:
        return plan
    with translate_database_errors(DEFAULT_DB_ALIAS):
        tables = tables or OptionalTables.read(DEFAULT_DB_ALIAS, read_only=True)
        past = read_past(view.spec for view in refreshed) if tables.is_usable("seeder_run_metrics") else {}
        now = sessions.server_time(DEFAULT_DB_ALIAS)
    unready = _find_unready(refreshed)
    scales = {key: scale for key, one in past.items() if (scale := learn_scale(one)) is not None}
    usual_scale = median(scales.values()) if len(scales) >= _MIN_VIEWS_OF_SCALE else 1.0
    facts = {
        view: ModeFacts(
            past=past.get(view.key, ()),
            can_be_concurrent=view.key not in unready,
            scale=scales.get(view.key, usual_scale),
        )
        for view in refreshed
    }
    limits = _reader_limits(settings)
    views = (
        replace(view, mode_facts=facts[view], mode_choice=choose_mode(facts[view], limits, now))
        if view in facts
        else view
        for view in plan.views
    )
    return replace(plan, views=tuple(views))


def choose(view: PlannedView, settings: Settings, now: datetime) -> ModeChoice:
    """Return the mode of a refresh that starts now: by the setting, or by measurement."""
    if not settings.chooses_mode:
        return ModeChoice(mode=RefreshMode.CONCURRENT if settings.refresh_concurrently else RefreshMode.PLAIN)
    return choose_mode(view.mode_facts or ModeFacts(), _reader_limits(settings), now)


def _reader_limits(settings: Settings) -> ReaderLimits:
    return ReaderLimits(
        budget=timedelta(milliseconds=settings.reader_wait_budget_ms),
        windows=settings.maintenance_windows,
        has_fallback=settings.concurrent_fallback,
    )


def read_past(specs: Iterable[ViewSpec]) -> Mapping[ViewKey, tuple[PastRefresh, ...]]:
    """Return the latest refreshes of each view, as its first manifest recorded them."""
    firsts = {spec.key: spec.manifests[0] for spec in specs}
    parameters = {
        "names": [manifest.table_name for manifest in firsts.values()],
        "report_types": [str(manifest.report_type) for manifest in firsts.values()],
        "manifest_ids": [manifest.manifest_id for manifest in firsts.values()],
        "limit": _MAX_PAST,
    }
    keys, past = list(firsts), dict[ViewKey, list[PastRefresh]]()
    for position, mode, *figures in sessions.query(DEFAULT_DB_ALIAS, STATEMENTS["past_modes"], parameters):
        duration, rows, inserted, deleted, size_bytes = figures
        one = PastRefresh(
            mode=RefreshMode(mode) if mode else None,
            duration=duration,
            rows=rows,
            rows_inserted=inserted,
            rows_deleted=deleted,
            size_bytes=size_bytes,
        )
        past.setdefault(keys[position - 1], []).append(one)
    return {key: tuple(one) for key, one in past.items()}


def _find_unready(views: Iterable[PlannedView]) -> set[ViewKey]:
    """Return the views that PostgreSQL would refuse to refresh concurrently.

    If a database does not answer, its views count as ready: then the refresh finds out.
    """
    by_database: dict[str, list[ViewKey]] = {}
    for view in views:
        by_database.setdefault(view.key.database, []).append(view.key)
    unready = set[ViewKey]()
    for database, keys in by_database.items():
        try:
            names = catalog.find_unready_for_concurrent_refresh(database, [key.name for key in keys])
        except Error:
            sessions.discard_if_broken(database)
            continue
        unready |= {ViewKey(database=database, name=name) for name in names}
    return unready
