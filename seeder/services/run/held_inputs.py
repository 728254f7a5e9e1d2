"""Finds views that a run reads and does not refresh, and whose last refresh was held."""

from collections.abc import Collection, Mapping
from dataclasses import replace

from django.db import DEFAULT_DB_ALIAS

from seeder.conf import Settings
from seeder.domain.freshness.data_age import NEVER_RECORDED
from seeder.domain.manifests import ViewKey
from seeder.domain.outcomes import HeldReason
from seeder.domain.plan import HeldInput, RefreshPlan
from seeder.domain.view_names import ViewName
from seeder.postgres import sessions
from seeder.postgres.contract import OptionalTables
from seeder.postgres.named_statements import STATEMENTS
from seeder.services import manifest_selection, view_states

_METRICS = "seeder_run_metrics"


def add_held_inputs(plan: RefreshPlan, settings: Settings, tables: OptionalTables) -> RefreshPlan:
    """Return the plan with the held views that its views read and that it does not refresh.

    Takes one statement, none if all inputs are in the plan, and more only if one of them is held.
    """
    outside = {key for view in plan.views for key in view.outside}
    if not outside or not tables.is_usable(_METRICS):
        return plan
    held = _find_held(outside, settings, tables)
    if not held:
        return plan
    views = (
        replace(view, held_inputs=tuple(held[key] for key in sorted(view.outside & held.keys()))) for view in plan.views
    )
    return replace(plan, views=tuple(views))


def _find_held(views: Collection[ViewKey], settings: Settings, tables: OptionalTables) -> Mapping[ViewKey, HeldInput]:
    found = set[ViewKey]()
    rows = sessions.query(DEFAULT_DB_ALIAS, STATEMENTS["held_views"], {"reasons": [*HeldReason]})
    for table_name, report_type, manifest_id in rows:
        name = ViewName.parse_or_none(table_name)
        found |= {
            key
            for key in views
            if key.name == name
            and manifest_selection.is_manifest_in_database(
                report_type, manifest_id, key.database, databases=settings.databases
            )
        }
    ages = view_states.data_ages(found, tables) if found else {}
    return {key: HeldInput(view=key, as_of=ages.get(key, NEVER_RECORDED).as_of) for key in found}
