"""Draws up a plan: the rule with what the catalog and the history know."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

from django.db import DEFAULT_DB_ALIAS

from seeder.domain.manifests import Selection, ViewKey
from seeder.domain.plan import DefinitionDrift, PlanInputs, RefreshPlan, build_plan
from seeder.domain.view_names import ViewName
from seeder.errors import DatabaseError
from seeder.postgres import catalog
from seeder.postgres.contract import OptionalTables
from seeder.postgres.sqlstates import translate_database_errors
from seeder.services import definition_cache, run_history
from seeder.services.retry import retry_transient
from seeder.services.stop_signal import StopSignal

# A lost connection must not cost the order; a server that is down is told soon, as nothing has begun yet.
_RETRIES = 1


def build(selection: Selection, tables: OptionalTables | None = None, *, save_confirmed: bool = False) -> RefreshPlan:
    """The plan for a selection. Looks at every database that it touches and changes none; but it may `remember` which
    queries views were created from, to be faster the next time."""
    tables = tables or OptionalTables.read(DEFAULT_DB_ALIAS)
    queries = queries_by_view(selection)
    sizes: dict[ViewKey, int] = {}
    depends_on: dict[ViewKey, set[ViewKey]] = {}
    drift: dict[ViewKey, tuple[DefinitionDrift, ...]] = {}
    warnings: dict[str, str] = {}
    for database, views in queries.items():
        try:
            seen = _survey(database, views, tables)
        except DatabaseError as error:
            # Each of its views will say so itself, while the others go on; without this database there is no run.
            if database == DEFAULT_DB_ALIAS:
                raise
            warnings[database] = f"What the views of {database} read is not known, so they start in any order. {error}"
        else:
            sizes |= {ViewKey(database=database, name=name): rows for name, rows in seen.row_counts.items()}
            depends_on |= {
                ViewKey(database=database, name=reader): {ViewKey(database=database, name=name) for name in names}
                for reader, names in seen.dependencies.items()
            }
            drift |= definition_drift(selection, database, seen)
            if save_confirmed:
                definition_cache.save_definitions(database, seen.confirmed, tables)
    with translate_database_errors(DEFAULT_DB_ALIAS):
        past = run_history.past_refreshes(selection.views)
    known = PlanInputs(
        row_counts=sizes,
        depends_on=depends_on,
        expected_durations=past.durations,
        consecutive_failures=past.consecutive_failures,
        definition_drift=drift,
    )
    return replace(
        build_plan(selection, known), warnings=tuple(warnings.values()), undetermined_databases=frozenset(warnings)
    )


def _survey(database: str, views: Mapping[ViewName, Sequence[str]], tables: OptionalTables) -> catalog.Survey:
    with translate_database_errors(DEFAULT_DB_ALIAS):
        known = definition_cache.load_definitions(database, tables)
    with translate_database_errors(database):
        return retry_transient(
            lambda _: catalog.survey(database, views, known_definitions=known),
            retries=_RETRIES,
            stop=StopSignal(),
            database=database,
        )


def queries_by_view(selection: Selection) -> Mapping[str, Mapping[ViewName, Sequence[str]]]:
    """In each database, what the manifests of each view say it is."""
    queries: dict[str, dict[ViewName, Sequence[str]]] = defaultdict(dict)
    for spec in selection.views:
        queries[spec.key.database][spec.key.name] = [manifest.query for manifest in spec.manifests]
    return queries


def definition_drift(
    selection: Selection, database: str, survey: catalog.Survey
) -> Mapping[ViewKey, tuple[DefinitionDrift, ...]]:
    """The manifests of each view of that database whose query is not what it was created from."""
    return {
        spec.key: tuple(
            DefinitionDrift(manifest=manifest, cause=survey.drift[spec.key.name, manifest.query])
            for manifest in spec.manifests
            if (spec.key.name, manifest.query) in survey.drift
        )
        for spec in selection.views
        if spec.key.database == database
    }
