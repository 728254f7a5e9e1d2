"""Builds a plan from a selection, the catalog and the history."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence, Set
from dataclasses import replace
from functools import partial

from django.db import DEFAULT_DB_ALIAS

from seeder import conf
from seeder.domain.freshness.forecast import with_missed_contracts
from seeder.domain.human_format import format_count, join_with_and
from seeder.domain.manifests import Selection, ViewKey
from seeder.domain.plan import (
    DefinitionDrift,
    PlanInputs,
    RefreshPlan,
    ViewInputs,
    build_plan,
    typical_durations,
)
from seeder.domain.view_names import ViewName
from seeder.errors import DatabaseError
from seeder.models import ViewDefinition
from seeder.postgres import view_survey
from seeder.postgres.contract import OptionalTables
from seeder.postgres.sqlstates import translate_database_errors
from seeder.services import history_rows
from seeder.services.data_checks import check_rows
from seeder.services.retry import retry_transient
from seeder.services.run import run_deadlines
from seeder.services.stop_signal import StopSignal
from seeder.texts import Text

_DEFINITIONS = "seeder_view_definition"
_RETRIES = 1  # for a lost connection; a server that is down is reported soon


def build(
    selection: Selection,
    tables: OptionalTables | None = None,
    *,
    save_confirmed: bool = False,
    workers: int | None = None,
) -> RefreshPlan:
    """Return the plan for a selection. Reads every database of its views and changes none.

    With `save_confirmed`, the confirmed definitions of views are saved, so that the next plan is built faster.
    `workers` are those that a forecast expects (None: as in the settings).
    """
    tables = tables or OptionalTables.read(DEFAULT_DB_ALIAS)
    row_counts: dict[ViewKey, int] = {}
    depends_on: dict[ViewKey, set[ViewKey]] = {}
    outside: dict[ViewKey, set[ViewKey]] = {}
    drift: dict[ViewKey, tuple[DefinitionDrift, ...]] = {}
    view_inputs: dict[ViewKey, ViewInputs] = {}
    warnings: dict[str, str] = {}
    notes: list[str] = []
    for database, views in queries_by_view(selection).items():
        try:
            survey = _survey(database, views, tables)
        except DatabaseError as error:
            if database == DEFAULT_DB_ALIAS:
                raise  # without it there is no run; the views of others report the error, while the run continues
            warnings[database] = Text(
                "The dependencies of views in {database} are unknown, so they start in any order. {error}",
                database=database,
                error=str(error),
            )
            continue
        row_counts |= {ViewKey(database=database, name=name): rows for name, rows in survey.row_counts.items()}
        depends_on |= {
            ViewKey(database=database, name=reader): {ViewKey(database=database, name=name) for name in names}
            for reader, names in survey.dependencies.items()
        }
        outside |= {
            ViewKey(database=database, name=reader): {ViewKey(database=database, name=name) for name in names}
            for reader, names in survey.outside.items()
        }
        declared = {spec.key.name: spec.declaration for spec in selection.views if spec.key.database == database}
        for reader, declaration in declared.items():
            names = declaration.views - {reader} if declaration else ()
            depends_on.setdefault(ViewKey(database=database, name=reader), set()).update(
                ViewKey(database=database, name=name) for name in names
            )
        if opaque := [view for view, functions in survey.functions.items() if functions and not declared[view]]:
            notes.append(_opaque_functions_text(database, sorted(opaque)))
        view_inputs |= {ViewKey(database=database, name=name): read for name, read in survey.inputs.items()}
        drift |= definition_drift(selection, database, survey)
        if survey.unknown_dependencies:
            warnings[database] = _unknown_dependencies_text(database, survey.unknown_dependencies)
        if save_confirmed and survey.confirmed and tables.is_usable(_DEFINITIONS):
            _save_definitions(database, survey.confirmed)
    with translate_database_errors(DEFAULT_DB_ALIAS):
        durations, failures = history_rows.past_refreshes(selection.views)
        deadlines = run_deadlines.find_deadlines(selection.views, tables, workers or conf.load().max_workers)
        checks = check_rows.load_checks(selection.views, tables)
    inputs = PlanInputs(
        row_counts=row_counts,
        depends_on=depends_on,
        outside=outside,
        expected_durations=durations,
        consecutive_failures=failures,
        definition_drift=drift,
        view_inputs=view_inputs,
        deadlines=deadlines.earliest,
        now=deadlines.now,
        workers=deadlines.workers,
        checks=checks,
    )
    plan = build_plan(selection, inputs)
    if deadlines.of_views:
        deadlines = replace(deadlines, durations=typical_durations(selection.views, inputs))
    return with_missed_contracts(replace(plan, warnings=warnings, notes=tuple(notes), deadlines=deadlines))


def _unknown_dependencies_text(database: str, causes: Mapping[ViewName, str]) -> Text:
    first, *others = sorted(causes)
    return Text(
        "The dependencies of {views} in {database} are unknown, so they may start before a view that they read."
        " PostgreSQL's message about {first}: {message}",
        views=join_with_and([str(first), *([format_count(len(others), "other missing view")] if others else [])]),
        database=database,
        first=str(first),
        message=causes[first],
    )


def _opaque_functions_text(database: str, views: Sequence[ViewName]) -> Text:
    first, *others = views
    return Text(
        "{views} in {database} may start before a view that they read, because they call functions with text bodies."
        " `manage.py doctor` lists them. Declare the views in a line of the query: -- depends_on: reporting.a",
        views=join_with_and([str(first), *([format_count(len(others), "other view")] if others else [])]),
        database=database,
    )


def _survey(database: str, views: Mapping[ViewName, Sequence[str]], tables: OptionalTables) -> view_survey.Survey:
    load_known = partial(load_definitions, database, tables=tables)
    with translate_database_errors(database):
        return retry_transient(
            lambda _: view_survey.survey(database, views, load_known=load_known),
            retries=_RETRIES,
            stop=StopSignal(),
            database=database,
        )


def load_definitions(
    database: str, view_oids: Collection[int], *, tables: OptionalTables
) -> Set[view_survey.DefinitionKey]:
    """Return the queries that views were created from. A survey compares only others with the catalog."""
    if not view_oids or not tables.is_usable(_DEFINITIONS):
        return frozenset()
    with translate_database_errors(DEFAULT_DB_ALIAS):
        rows = ViewDefinition.objects.filter(database_alias=database, view_oid__in=view_oids)
        return {
            view_survey.DefinitionKey(oid=oid, query_md5=md5) for oid, md5 in rows.values_list("view_oid", "query_md5")
        }


def _save_definitions(database: str, definitions: Set[view_survey.DefinitionKey]) -> None:
    rows = [
        ViewDefinition(database_alias=database, view_oid=one.oid, query_md5=one.query_md5)
        for one in sorted(definitions)
    ]
    ViewDefinition.objects.bulk_create(rows, ignore_conflicts=True)


def queries_by_view(selection: Selection) -> Mapping[str, Mapping[ViewName, Sequence[str]]]:
    """Return the queries of each view's manifests, by database."""
    queries: dict[str, dict[ViewName, Sequence[str]]] = defaultdict(dict)
    for spec in selection.views:
        queries[spec.key.database][spec.key.name] = [manifest.query for manifest in spec.manifests]
    return queries


def definition_drift(
    selection: Selection, database: str, survey: view_survey.Survey
) -> Mapping[ViewKey, tuple[DefinitionDrift, ...]]:
    """Return the manifests whose query differs from their view's definition."""
    return {
        spec.key: tuple(
            DefinitionDrift(manifest=manifest, cause=survey.drift[spec.key.name, manifest.query])
            for manifest in spec.manifests
            if (spec.key.name, manifest.query) in survey.drift
        )
        for spec in selection.views
        if spec.key.database == database
    }
