"""Decides with the plan which views may be skipped. The proof decides at their start."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace

from django.db import DEFAULT_DB_ALIAS, Error

from seeder.conf import Settings
from seeder.domain.manifests import ViewKey
from seeder.domain.plan import PlannedAction, PlannedView, RefreshPlan
from seeder.domain.skip_decision import SkipFacts, SkipPolicy, plan_skip, rule_out
from seeder.postgres import sessions, skip_proofs
from seeder.postgres.closed_queries import why_not_closed
from seeder.postgres.contract import OptionalTables
from seeder.postgres.sqlstates import translate_database_errors
from seeder.services.run import skip_decisions


def add_skips(
    plan: RefreshPlan, settings: Settings, tables: OptionalTables | None = None, *, force: bool = False
) -> RefreshPlan:
    """Return the plan with the decision about a skip of each view. Without the table, nothing is skipped."""
    with translate_database_errors(DEFAULT_DB_ALIAS):
        tables = tables or OptionalTables.read(DEFAULT_DB_ALIAS)
        if not plan.views or not tables.is_usable(skip_decisions.TABLE):
            return plan
        now = sessions.server_time(DEFAULT_DB_ALIAS)
    policy = SkipPolicy(is_enabled=settings.skip_unchanged, never=frozenset(settings.never_skip), is_forced=force)
    facts = {view.key: _facts(view) for view in plan.views}
    possible = [view for view in plan.views if rule_out(view.key.name, facts[view.key], policy) is None]
    with translate_database_errors(DEFAULT_DB_ALIAS):
        past = skip_decisions.past_refreshes((view.key for view in possible), tables)
    facts |= _with_inputs({view.key: replace(facts[view.key], past=past.get(view.key)) for view in possible})
    views = (replace(view, skip_plan=plan_skip(view.key.name, facts[view.key], policy, now)) for view in plan.views)
    return replace(plan, views=tuple(views))


def _facts(view: PlannedView) -> SkipFacts:
    return SkipFacts(
        exists=view.action is PlannedAction.REFRESH,
        last_duration=view.expected_duration,
        has_failed=view.consecutive_failures > 0,
        has_checks=bool(view.checks),
        open_reasons=None,
    )


def _with_inputs(facts: Mapping[ViewKey, SkipFacts]) -> Mapping[ViewKey, SkipFacts]:
    """Return the facts with what the views read. A database that does not answer leaves them unknown."""
    by_database = defaultdict[str, list[ViewKey]](list)
    for key in facts:
        by_database[key.database].append(key)
    found: dict[ViewKey, SkipFacts] = {}
    for database, keys in by_database.items():
        names = [key.name for key in keys]
        try:
            reasons, reads = why_not_closed(database, names), skip_proofs.find_read_relations(database, names)
        except Error:
            sessions.discard_if_broken(database)
            continue
        found |= {
            key: replace(facts[key], open_reasons=reasons.get(key.name), reads=reads[key.name])
            for key in keys
            if key.name in reads
        }
    return found
