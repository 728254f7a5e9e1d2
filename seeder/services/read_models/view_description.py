"""A view as the catalog has it, compared with the queries of its manifests."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from django.db import DEFAULT_DB_ALIAS, Error

from seeder import conf
from seeder.domain.manifests import Manifest, ViewKey, ViewSpec
from seeder.domain.monitoring.report_jobs import Job
from seeder.domain.query_difference import DifferenceLine, compare_queries
from seeder.domain.refresh_requests import SingleView
from seeder.domain.view_names import ViewName
from seeder.errors import DatabaseError
from seeder.postgres import view_description, view_survey
from seeder.postgres.contract import OptionalTables
from seeder.postgres.sqlstates import translate_database_errors
from seeder.postgres.view_description import DescribedView
from seeder.services import manifest_access, manifest_selection
from seeder.services.read_models import agency_scope
from seeder.services.read_models.manifest_list import DriftState
from seeder.services.read_models.view_reader import Viewer
from seeder.services.run import planning
from seeder.texts import Text

_MAX_QUERIES = 3  # different ones of a view that are compared
_MAX_NAMED_MANIFESTS = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class ComparedQuery:
    """The query of manifests, compared with the view."""

    manifests: Sequence[Manifest]  # all with this query that the user may see
    state: DriftState
    cause: str | None = None  # None unless the user may see PostgreSQL's messages
    difference: Sequence[DifferenceLine] | None = None  # None unless both can be printed

    @property
    def sentence(self) -> Text:
        """What the comparison says about the first manifests."""
        first = self.manifests[:_MAX_NAMED_MANIFESTS]
        names = Text.joined(
            Text("{report_type} manifest {manifest_id}", report_type=one.report_type, manifest_id=one.manifest_id)
            for one in first
        )
        if len(self.manifests) > len(first):
            names = Text("{names} and others", names=names)
        match self.state:
            case DriftState.NONE:
                return Text("The view has the query of {manifests}.", manifests=names)
            case DriftState.DIFFERENT:
                return Text("The view has another query than {manifests}.", manifests=names)
            case DriftState.REFUSED:
                return Text("PostgreSQL refuses the query of {manifests}.", manifests=names)
        return Text("The view cannot be compared now with the query of {manifests}.", manifests=names)


@dataclass(frozen=True, kw_only=True, slots=True)
class ViewDescription:
    """A view, as far as it is known and the user may see it."""

    view: ViewKey | None = None  # None if no run can plan the manifest
    catalog: DescribedView | None = None  # None if the view does not exist, or is unknown
    problem: str | None = None  # why it is unknown
    compared: Sequence[ComparedQuery] = ()
    further_queries: int = 0  # different ones that are not compared
    query: str | None = None  # of the view, or the one that a missing view will be created from
    hides_query: bool = False  # it can be that of an agency that the user may not see

    @property
    def is_missing(self) -> bool:
        return self.view is not None and self.catalog is None and self.problem is None


@translate_database_errors(DEFAULT_DB_ALIAS)
def describe_view(job: Job, viewer: Viewer, tables: OptionalTables, *, can_see_queries: bool) -> ViewDescription:
    """Return what the catalog knows about the view of a job. A database that does not answer is a problem of it.

    Takes a constant number of statements, and creates nothing: a query is compared in a transaction that is rolled
    back.
    """
    spec = _find_spec(job)
    if isinstance(spec, str):
        return ViewDescription(problem=spec)
    visible = [one for one in spec.manifests if viewer.sees([one])]
    try:
        with translate_database_errors(spec.key.database):
            catalog = view_description.describe(spec.key.database, spec.key.name)
            if not can_see_queries:
                return ViewDescription(view=spec.key, catalog=catalog)
            if catalog is None:
                query = spec.query if viewer.sees(spec.manifests[:1]) else None
                return ViewDescription(view=spec.key, query=query, hides_query=query is None)
            return _with_queries(spec.key, catalog, visible, viewer, tables)
    except DatabaseError as error:
        if spec.key.database == DEFAULT_DB_ALIAS:
            raise
        no_answer = Text("The database {database} does not answer.", database=spec.key.database)
        return ViewDescription(view=spec.key, problem=str(error) if viewer.can_see_errors else no_answer)


def _find_spec(job: Job) -> ViewSpec | str:
    """Return the view of a job, or why no run can plan its manifest."""
    name = ViewName.parse_or_none(job.table_name)
    if name is None:
        return Text("No run can plan it, because its name is not the name of a view.")
    selection = manifest_selection.select(SingleView(name=name), databases=conf.load().databases)
    for spec in selection.views:
        if any(one.key == job.key for one in spec.manifests):
            return spec
    return next(
        (one.message for one in selection.rejected if one.manifest.key == job.key), Text("Its manifest was removed.")
    )


def _with_queries(
    view: ViewKey, catalog: DescribedView, manifests: Sequence[Manifest], viewer: Viewer, tables: OptionalTables
) -> ViewDescription:
    by_query = defaultdict[str, list[Manifest]](list)
    for one in manifests:
        by_query[one.query].append(one)
    queries = list(by_query)[:_MAX_QUERIES]
    load_known = partial(planning.load_definitions, view.database, tables=tables)
    found = view_survey.compare_with_views(view.database, {view.name: queries}, load_known=load_known)
    states = {query: _state(found, view.name, query) for query in queries}
    is_theirs = any(state is DriftState.NONE for state, _ in states.values()) or _is_of_visible_agencies(view, viewer)
    old = catalog.contents.query if catalog.contents and is_theirs else None
    return ViewDescription(
        view=view,
        catalog=catalog,
        query=old,
        hides_query=not is_theirs,
        compared=[
            ComparedQuery(
                manifests=by_query[query],
                state=state,
                cause=cause if viewer.can_see_errors else None,
                difference=_difference(view.database, old, query) if state is DriftState.DIFFERENT else None,
            )
            for query, (state, cause) in states.items()
        ],
        further_queries=len(by_query) - len(queries),
    )


def _state(found: view_survey.ComparedQueries, view: ViewName, query: str) -> tuple[DriftState, str | None]:
    pair = view, query
    if view not in found.existing:
        return DriftState.MISSING, None
    if pair in found.undetermined:
        return DriftState.UNKNOWN, found.undetermined[pair].message
    if pair in found.drift:
        cause = found.drift[pair]
        return (DriftState.REFUSED if cause else DriftState.DIFFERENT), cause
    return DriftState.NONE, None


def _is_of_visible_agencies(view: ViewKey, viewer: Viewer) -> bool:
    """Return whether only manifests of agencies that the user may see name the view, also disabled ones."""
    if viewer.agencies is None:
        return True
    return not manifest_access.has_other_agencies(agency_scope.manifest_spellings(str(view.name)), viewer.agencies)


def _difference(database: str, old: str | None, query: str) -> Sequence[DifferenceLine] | None:
    if old is None:
        return None
    new = view_description.print_query(database, query)
    return None if isinstance(new, Error) else compare_queries(old, new)
