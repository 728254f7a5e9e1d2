"""Adds consistent groups to a plan."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial

from django.db import DEFAULT_DB_ALIAS

from seeder.domain.consistent_groups import (
    ConsistentGroup,
    estimate_group,
    in_dependency_order,
    refusals,
    views_between,
)
from seeder.domain.freshness.forecast import with_missed_contracts
from seeder.domain.plan import PlannedGroup, PlannedView, RefreshPlan
from seeder.postgres import sessions
from seeder.postgres.named_statements import STATEMENTS
from seeder.postgres.sqlstates import translate_database_errors
from seeder.services.groups.group_facts import read_group_facts


def add_groups(plan: RefreshPlan, groups: Iterable[ConsistentGroup]) -> RefreshPlan:
    """Return the plan with its groups, their cost by the history, and why any of them cannot be refreshed."""
    for group in groups:
        plan = _with_group(plan, group)
    return with_missed_contracts(plan) if plan.groups else plan


def _with_group(plan: RefreshPlan, group: ConsistentGroup) -> RefreshPlan:
    # The catalog knows nothing about views that do not exist, but the plan does.
    reads = {view.key: view.depends_on for view in plan.views}
    group = replace(group, members=group.members | views_between(group.members, reads))
    members = [view for view in plan.views if view.key in group.members]
    with translate_database_errors(members[0].key.database):
        specs = [view.spec for view in members]
        facts = read_group_facts(members[0].key.database, specs).of_members(specs)
    measured = _measured_duration(members)
    unmeasured = (view.estimated_duration for view in members if view.expected_duration is None)
    duration = measured + sum(unmeasured, timedelta())
    share = duration / len(members)
    # A member that was skipped would not be of the same instant as the others.
    alone = partial(replace, mode_choice=None, mode_facts=None, skip_plan=None, check_order=None)
    grouped = {view: alone(view, estimated_duration=share) for view in members}
    planned = PlannedGroup(
        name=str(group),
        views=in_dependency_order(grouped.values()),
        options=group.options,
        estimated_duration=duration,
        measured_duration=measured,
        refusals=tuple(
            refusals(
                facts,
                allow_blocking=group.options.allow_blocking,
                default_database=DEFAULT_DB_ALIAS,
                unlisted=group.unlisted,
            )
        ),
    )
    views = tuple(grouped.get(view, view) for view in plan.views)
    return replace(plan, views=views, groups=(*plan.groups, planned))


def _measured_duration(members: Sequence[PlannedView]) -> timedelta:
    """Return the duration of the last refresh of a group, or of its members' last ones together."""
    names = {view: min(view.spec.table_names) for view in members}
    with translate_database_errors(DEFAULT_DB_ALIAS):
        past = sessions.query(DEFAULT_DB_ALIAS, STATEMENTS["last_refreshes"], {"names": list(names.values())})
    return estimate_group(past)
