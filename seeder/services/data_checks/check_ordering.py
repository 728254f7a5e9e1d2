"""Finds out when the data checks of views run: inside their refreshes, or before them on the results of queries."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import timedelta

from seeder.conf import Settings
from seeder.domain.data_checks.check_order import CheckOrder, choose_order
from seeder.domain.plan import PlannedAction, PlannedView, RefreshPlan
from seeder.postgres import catalog, closed_queries
from seeder.postgres.sqlstates import translate_database_errors


def add_check_orders(plan: RefreshPlan, settings: Settings) -> RefreshPlan:
    """Return the plan with the order of data checks of each view whose refresh would block readers now."""
    orders: dict[PlannedView, CheckOrder] = {}
    for database, views in plan.by_database.items():
        if checked := [view for view in views if view.checks and view.action is PlannedAction.REFRESH]:
            with translate_database_errors(database):
                orders |= find_orders(database, checked, settings)
    if not orders:
        return plan
    ordered = (replace(view, check_order=orders[view]) if view in orders else view for view in plan.views)
    return replace(plan, views=tuple(ordered))


def find_order(view: PlannedView, settings: Settings) -> CheckOrder | None:
    """Return the order of data checks of an existing view if its refresh would block readers now, otherwise None."""
    return find_orders(view.key.database, [view], settings).get(view)


def find_orders(database: str, views: Collection[PlannedView], settings: Settings) -> Mapping[PlannedView, CheckOrder]:
    """Return the order of data checks of those views whose refresh would block readers now."""
    blocking = set(views)
    if settings.refresh_concurrently:
        if not settings.concurrent_fallback:
            return {}
        unready = catalog.find_unready_for_concurrent_refresh(database, [view.key.name for view in views])
        blocking = {view for view in views if view.key.name in unready}
    if not blocking:
        return {}
    reasons = closed_queries.why_not_repeatable(database, [view.key.name for view in blocking])
    budget, time_limit = settings.reader_wait_budget_ms, settings.check_timeout_ms
    return {
        view: choose_order(
            view.checks,
            reasons[view.key.name],
            rows=view.rows,
            last_duration=view.expected_duration,
            between=(timedelta(milliseconds=budget), timedelta(milliseconds=time_limit)),
        )
        for view in blocking
        if view.key.name in reasons
    }
