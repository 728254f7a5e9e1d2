"""Which loads each view contains, as apps that load tables tell.

`as_of_providers` of an installed AppConfig are dotted paths of functions of the type `AsOfProvider`. Without any,
nothing is read.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from functools import partial

from django.apps import apps
from django.db import DEFAULT_DB_ALIAS, Error
from django.utils.module_loading import import_string

from seeder import conf
from seeder.domain.as_of import AsOfProvider, RefreshSnapshot, RelationAsOf, TableAsOf, TableBehindView
from seeder.domain.freshness.data_age import DataAge
from seeder.domain.manifests import ViewKey
from seeder.domain.monitoring.report_jobs import Job
from seeder.domain.refresh_requests import SelectedManifests
from seeder.domain.view_names import ViewName
from seeder.postgres import as_of_queries, catalog, transactions
from seeder.postgres.catalog import UsedObject
from seeder.postgres.contract import OptionalTables
from seeder.services import manifest_selection, view_states
from seeder.services.read_models import agency_scope

_TABLE_KINDS = {"r", "p"}
_METRICS = "seeder_run_metrics"
# The view, the relation on the way to a table that reads others, and the snapshot whose rows the view has.
_Step = tuple[ViewName, ViewName, RefreshSnapshot]


def loads_in_views(jobs: Sequence[Job], tables: OptionalTables) -> Mapping[str, Sequence[TableAsOf]]:
    """Return which loads the views of jobs contain, by the job's table name.

    Views that read no loaded table, or were never refreshed, are left out, and those of a database that does not
    answer. Takes a constant number of queries, and some more for each level of views on views.
    """
    providers = _providers()
    if not providers or not jobs:
        return {}
    has_metrics = tables.is_usable(_METRICS)
    names: dict[ViewKey, list[str]] = defaultdict(list)
    for job, key in _view_keys(jobs):
        names[key].append(job.table_name)
    found: dict[str, Sequence[TableAsOf]] = {}
    for database in {key.database for key in names}:
        spellings = {key.name: names[key] for key in names if key.database == database}
        lineage = _Lineage(database, has_metrics=has_metrics)
        behind = transactions.attempt(database, partial(lineage.find_tables, spellings))
        for provider in providers:
            known = provider(database, behind) if behind and not isinstance(behind, Error) else {}
            found |= {name: known[view] for view in known for name in spellings[view]}
    return found


def relation_as_of(database: str, relation: ViewName, *, kind: str, oid: int) -> RelationAsOf:
    """Return as of when the rows of a table, a view or a materialized view are. `kind` is its relkind.

    Call it in the transaction that reads the rows: a table and a plain view contain what its snapshot sees. Raises
    database errors.
    """
    has_metrics = OptionalTables.read(DEFAULT_DB_ALIAS, read_only=True).is_usable(_METRICS)
    lineage, now = _Lineage(database, has_metrics=has_metrics), as_of_queries.current_snapshot(database)
    refresh = lineage.last_refresh(relation) if kind == "m" else None
    if kind in _TABLE_KINDS:
        tables = lineage.with_relatives({(relation, oid): {now}})
    else:
        seen = refresh if kind == "m" else now
        tables = lineage.follow([(relation, relation, seen)]) if seen else ()
    stale_after = timedelta(hours=conf.load().stale_hours)
    return RelationAsOf(
        refreshed_at=None if refresh is None else refresh.taken_at,
        stale=kind == "m" and (refresh is None or refresh.taken_at < now.taken_at - stale_after),
        tables=[one for ask in _providers() if tables for one in ask(database, tables).get(relation, ())],
    )


def data_ages_of_jobs(jobs: Sequence[Job], tables: OptionalTables) -> Mapping[str, DataAge]:
    """Return as of when the data of the views of jobs are, by the job's table name.

    Views that do not exist are left out, and those of a database that does not answer. None without the optional table.
    """
    if not jobs:
        return {}
    keys = {job.table_name: key for job, key in _view_keys(jobs)}
    ages = view_states.data_ages({*keys.values()}, tables)
    return {name: ages[key] for name, key in keys.items() if key in ages}


def _providers() -> Sequence[AsOfProvider]:
    return [import_string(path) for app in apps.get_app_configs() for path in getattr(app, "as_of_providers", ())]


def _view_keys(jobs: Iterable[Job]) -> Iterator[tuple[Job, ViewKey]]:
    """Yield each job with its view, unless the name is invalid."""
    databases = conf.load().databases
    aliases = {*databases.values()} or {DEFAULT_DB_ALIAS}
    if len(aliases) == 1:
        by_manifest = dict.fromkeys((job.key for job in jobs), aliases.pop())
    else:
        request = SelectedManifests(manifests=frozenset(job.key for job in jobs), description="")
        views = manifest_selection.select(request, databases=databases).views
        by_manifest = {manifest.key: spec.key.database for spec in views for manifest in spec.manifests}
    for job in jobs:
        name = ViewName.parse_or_none(job.table_name)
        if name is not None and job.key in by_manifest:
            yield job, ViewKey(database=by_manifest[job.key], name=name)


class _Lineage:
    """Follows views of one database to the tables behind them, through other materialized views."""

    def __init__(self, database: str, *, has_metrics: bool) -> None:
        self._database, self._has_metrics = database, has_metrics
        self._used: dict[ViewName, Sequence[UsedObject]] = {}

    def find_tables(self, spellings: Mapping[ViewName, Sequence[str]]) -> Sequence[TableBehindView]:
        """Return the tables behind each view, with the refreshes through which it has their rows."""
        views = list(spellings)
        snapshots = as_of_queries.last_snapshots(
            [(spellings[view], None) for view in views], has_metrics=self._has_metrics
        )
        return self.follow([(views[position], views[position], snapshot) for position, snapshot in snapshots.items()])

    def last_refresh(self, view: ViewName) -> RefreshSnapshot | None:
        """Return the latest successful refresh of a view, under any spelling of its name."""
        for spellings in (agency_scope.name_spellings, agency_scope.manifest_spellings):
            wanted = [(spellings(str(view)), None)]
            if found := as_of_queries.last_snapshots(wanted, has_metrics=self._has_metrics):
                return found[0]
        return None

    def follow(self, steps: list[_Step]) -> Sequence[TableBehindView]:
        """Follow each step to the tables that it reads."""
        behind = defaultdict[tuple[ViewName, int], set[RefreshSnapshot]](set)
        while steps:
            self._look_up({reader for _, reader, _ in steps})
            further = set[_Step]()
            for view, reader, snapshot in steps:
                for used in self._used[reader]:
                    if used.kind in _TABLE_KINDS and used.relation_oid is not None:
                        behind[view, used.relation_oid].add(snapshot)
                    elif used.kind == "m" and used.relation is not None:
                        further.add((view, used.relation, snapshot))
            steps = self._refreshes_read(sorted(further, key=str))
        return self.with_relatives(behind)

    def _look_up(self, readers: set[ViewName]) -> None:
        self._used |= catalog.find_used_objects(self._database, readers - self._used.keys(), kinds=("m", "v"))

    def _refreshes_read(self, reads: Sequence[_Step]) -> list[_Step]:
        """Return for each materialized view that a refresh read the refresh that had filled it."""
        wanted = [(agency_scope.name_spellings(str(read)), reader.taken_at) for _, read, reader in reads]
        found = as_of_queries.last_snapshots(wanted, has_metrics=self._has_metrics) if wanted else {}
        return [(reads[position][0], reads[position][1], snapshot) for position, snapshot in found.items()]

    def with_relatives(self, behind: Mapping[tuple[ViewName, int], set[RefreshSnapshot]]) -> Sequence[TableBehindView]:
        """Return tables and their partitions and parents, with the refreshes through which a view has their rows."""
        relatives = as_of_queries.tables_and_relatives(self._database, {oid for _, oid in behind}) if behind else {}
        by_table = defaultdict[tuple[ViewName, ViewName], set[RefreshSnapshot]](set)
        for (view, oid), snapshots in behind.items():
            for table in relatives.get(oid, ()):
                by_table[view, table] |= snapshots
        return [
            TableBehindView(view=view, table=table, snapshots=tuple(sorted(snapshots, key=lambda one: one.taken_at)))
            for (view, table), snapshots in by_table.items()
        ]
