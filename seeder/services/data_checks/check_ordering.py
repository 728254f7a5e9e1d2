"""Finds out when the data checks of views run: inside their refreshes, or before them on the results of queries."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial

from seeder.conf import Settings
from seeder.domain.data_checks.check_order import CheckOrder, can_run_on_query, choose_order
from seeder.domain.data_checks.rules import Condition
from seeder.domain.plan import PlannedAction, PlannedView, RefreshPlan
from seeder.postgres import catalog, closed_queries, data_check_queries, row_conditions, transactions
from seeder.postgres.input_locks import look_up_inputs
from seeder.postgres.sqlstates import translate_database_errors
from seeder.texts import Text


def add_check_orders(plan: RefreshPlan, settings: Settings) -> RefreshPlan:
    """Return the plan with the order of data checks of each view whose refresh would block readers now."""
    orders: dict[PlannedView, CheckOrder] = {}
    for database, views in plan.by_database.items():
        if checked := [view for view in views if view.checks and view.action is PlannedAction.REFRESH]:
            orders |= preview_orders(database, checked, settings)
    if not orders:
        return plan
    ordered = (replace(view, check_order=orders[view]) if view in orders else view for view in plan.views)
    return replace(plan, views=tuple(ordered))


def preview_orders(
    database: str, views: Collection[PlannedView], settings: Settings
) -> Mapping[PlannedView, CheckOrder]:
    """Return the orders of data checks as `find_orders` does, in a transaction of its own. Raises `DatabaseError`."""
    with translate_database_errors(database), transactions.rolled_back_atomic(database):
        return find_orders(database, views, settings)


def find_orders(database: str, views: Collection[PlannedView], settings: Settings) -> Mapping[PlannedView, CheckOrder]:
    """Return the order of data checks of those views whose refresh would block readers now, in a transaction."""
    blocking = set(views)
    if settings.refresh_concurrently:
        if not settings.concurrent_fallback:
            return {}
        unready = catalog.find_unready_for_concurrent_refresh(database, [view.key.name for view in views])
        blocking = {view for view in views if view.key.name in unready}
    if not blocking:
        return {}
    reasons = closed_queries.why_not_repeatable(database, [view.key.name for view in blocking])
    unreadable = _unreadable_inputs(database, blocking)
    return {
        view: _find_order(view, [*reasons[view.key.name], *unreadable[view]], settings)
        for view in blocking
        if view.key.name in reasons
    }


def _unreadable_inputs(database: str, views: Collection[PlannedView]) -> Mapping[PlannedView, Sequence[str]]:
    """Return for each view why this role cannot read what its query reads, which a refresh reads as its owner."""
    read = {view: view.inputs or look_up_inputs(database, view.key.name) for view in views}
    oids = {view: {*one.tables, *one.views, *one.materialized} for view, one in read.items()}
    relations = data_check_queries.unreadable_relations(database, set().union(*oids.values()))
    return {
        view: [
            Text("reads {table}, on which this role lacks SELECT", table=str(name))
            for oid, name in relations.items()
            if oid in oids[view] and name != view.key.name
        ]
        for view in views
    }


def _find_order(view: PlannedView, reasons: Sequence[str], settings: Settings) -> CheckOrder:
    budget, time_limit = settings.reader_wait_budget_ms, settings.check_timeout_ms
    limits = timedelta(milliseconds=budget), timedelta(milliseconds=time_limit)
    choose = partial(
        choose_order, reasons=reasons, rows=view.rows, last_duration=view.expected_duration, between=limits
    )
    on_query = [check for check in view.checks if can_run_on_query(check)]
    order = choose(on_query)
    conditions = {check.rule for check in on_query if isinstance(check.rule, Condition)}
    if order.runs_before and conditions:
        proven = row_conditions.find_row_conditions(view.key.database, view.key.name, conditions)
        on_query = [check for check in on_query if check.rule not in conditions or check.rule in proven]
        order = choose(on_query)
    inside = [check.name for check in view.checks if check not in on_query]
    return replace(order, inside=tuple(inside)) if order.runs_before else order
