"""What would happen if a view were refreshed now. Plans a run, but starts and changes nothing."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.db import DEFAULT_DB_ALIAS

from seeder.conf import Settings
from seeder.domain.circuit_breaker_rules import CircuitBreakerState
from seeder.domain.explanation.outlook import Outlook, PlannedStep
from seeder.domain.freshness.data_age import DataAge, data_age
from seeder.domain.manifests import Manifest, Selection, ViewKey, ViewSpec
from seeder.domain.mode_predictor import RefreshMode
from seeder.domain.plan import PlannedAction, PlannedView
from seeder.domain.refresh_mode import ModeChoice
from seeder.domain.view_names import ViewName
from seeder.errors import DatabaseError
from seeder.postgres import catalog, server_activity
from seeder.postgres.contract import OptionalTables
from seeder.postgres.sqlstates import translate_database_errors
from seeder.services.data_checks import check_ordering
from seeder.services.read_models.group_outlook import read_group_outlook
from seeder.services.read_models.view_relations import RelatedNames
from seeder.services.run import mode_choice, planning, skip_planning
from seeder.texts import Text


@dataclass(frozen=True, kw_only=True, slots=True)
class OutlookScope:
    """The view, what it needs, and what the user may see of it."""

    view: ViewKey
    specs: Mapping[ViewName, ViewSpec]
    related: RelatedNames
    ages: Mapping[ViewName, DataAge]  # of existing views
    settings: Settings
    tables: OptionalTables
    breaker: CircuitBreakerState
    now: datetime  # by the database's clock
    sees: Callable[[Iterable[Manifest]], bool]
    sees_all_agencies: bool
    can_see_errors: bool


@translate_database_errors(DEFAULT_DB_ALIAS)
def read_outlook(scope: OutlookScope) -> Outlook:
    """Return what a refresh now would do. Raises `DatabaseError`, unless only the plan cannot be built."""
    settings, database, breaker = scope.settings, scope.view.database, scope.breaker
    outlook = Outlook(
        breaker=breaker,
        shows_causes=scope.sees_all_agencies,
        next_trial_at=breaker.next_trial_at(timedelta(seconds=settings.reset_seconds)),
    )
    if scope.view.name not in scope.specs:
        return outlook
    with translate_database_errors(database):
        if settings.max_db_active_queries:
            active = server_activity.active_query_count(database)
            outlook = replace(outlook, active_queries=active, max_active_queries=settings.max_db_active_queries)
    return _with_plan(scope, _with_ages(scope, outlook))


def _with_plan(scope: OutlookScope, outlook: Outlook) -> Outlook:
    needed = [scope.specs[name] for name in sorted(scope.related.needs & scope.specs.keys())]
    selection = Selection(views=(*needed, scope.specs[scope.view.name]))
    try:
        plan = planning.build(selection, scope.tables)
        plan = mode_choice.add_modes(plan, scope.settings, scope.tables)
        plan = skip_planning.add_skips(plan, scope.settings, scope.tables)
        spec = scope.specs[scope.view.name]
        group = read_group_outlook(spec, scope.settings, scope.tables, sees=scope.sees)
    except DatabaseError as error:
        problem = Text("The plan cannot be built now.")
        if scope.can_see_errors:
            problem = Text("The plan cannot be built: {error}", error=str(error))
        return replace(outlook, problem=problem)
    own = next(view for view in plan.views if view.key == scope.view)
    others = [view for view in plan.views if view is not own]
    visible = [view for view in others if scope.sees(view.spec.manifests)]
    is_refresh = own.action is PlannedAction.REFRESH
    mode = (own.mode_choice or mode_choice.choose(own, scope.settings, scope.now)) if is_refresh else None
    if mode is not None and group is not None:
        reason = Text("Concurrent, in one transaction with the consistent group {group}.", group=group.name)
        mode = ModeChoice(mode=RefreshMode.CONCURRENT, reason=reason)
    is_plain = mode is None or mode.mode is RefreshMode.PLAIN
    with translate_database_errors(scope.view.database):
        blocking = server_activity.blocking_sessions(scope.view.database, scope.view.name, plain=is_plain)
        is_unready = not is_plain and catalog.cannot_refresh_concurrently(scope.view.database, scope.view.name)
    order = None
    if own.checks and group is None:
        order = check_ordering.preview_orders(scope.view.database, [own], scope.settings).get(own)
    if group is not None:
        related = scope.related
        kept = (related.reads | related.needs | related.outside) - group.members
        outlook = replace(outlook, age_alone=_age_with(scope, kept))
        if is_unready:
            mode = ModeChoice(mode=RefreshMode.PLAIN)
    return replace(
        outlook,
        steps=[_step(view, scope) for view in (*visible, own)],
        hidden_steps=len(others) - len(visible),
        longest_chain=_longest_chain(plan.views),
        mode=mode,
        skip=own.skip_plan if scope.can_see_errors or own.skip_plan is None else own.skip_plan.without_names(),
        group=group,
        is_unready=is_unready,
        drift=[
            drift if scope.can_see_errors else replace(drift, cause=None)
            for drift in own.definition_drift
            if scope.sees([drift.manifest])
        ],
        checks=len(own.checks),
        check_order=order if scope.can_see_errors or order is None else order.without_names(),
        blocking_sessions=[str(one) if scope.can_see_errors else "" for one in blocking],
    )


def _step(view: PlannedView, scope: OutlookScope) -> PlannedStep:
    after = [key.name for key in view.depends_on if scope.sees(scope.specs[key.name].manifests)]
    return PlannedStep(
        view=view.key,
        action=view.action,
        after=sorted(map(str, after)),
        expected_duration=view.expected_duration,
    )


def _longest_chain(views: Sequence[PlannedView]) -> timedelta | None:
    if any(view.expected_duration is None for view in views):
        return None
    return max(view.critical_path for view in views)


def _with_ages(scope: OutlookScope, outlook: Outlook) -> Outlook:
    """Add as of when the data would be. The views of no enabled manifest stay as they are."""
    related = scope.related
    alone, together = _age_with(scope, related.reads), _age_with(scope, related.outside)
    return replace(outlook, age_alone=alone, age_together=together)


def _age_with(scope: OutlookScope, kept: Iterable[ViewName]) -> DataAge:
    """Return the age after a refresh now, if these views that it reads, also through others, stay as they are."""
    known = [scope.ages[name] for name in kept if name in scope.ages]
    return data_age(scope.now, known, hides_inputs=scope.related.calls_opaque_functions)
