"""Reads what is stored about one view, and about those around it."""

from collections.abc import Collection, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from django.db import DEFAULT_DB_ALIAS

from seeder import conf
from seeder.domain.circuit_breaker_rules import CircuitBreakerState
from seeder.domain.explanation.facts import AppliedContract, RelatedView, Relations, ViewStory
from seeder.domain.freshness.data_age import NEVER_RECORDED, DataAge
from seeder.domain.freshness.states import ViewFacts, judge
from seeder.domain.manifests import Manifest, RejectedManifest, ViewKey, ViewSpec
from seeder.domain.refresh_requests import SingleView
from seeder.domain.view_names import ViewName
from seeder.errors import UnknownTable
from seeder.models import JobStatus
from seeder.postgres import freshness_queries, sessions
from seeder.postgres.contract import OptionalTables
from seeder.services import freshness_contracts, manifest_selection, view_states
from seeder.services.manifest_selection import NamedView
from seeder.services.read_models import (
    agency_scope,
    error_redaction,
    stored_refreshes,
    view_checks,
    view_relations,
)
from seeder.services.read_models.stored_refreshes import WantedHistory
from seeder.services.read_models.view_outlook import OutlookScope
from seeder.services.read_models.view_relations import RelatedNames
from seeder.services.run.admission_control import CircuitBreakers
from seeder.texts import Text

_RUN_PERMISSION = "seeder.view_run"
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, kw_only=True, slots=True)
class Viewer:
    """What the reader of an explanation may see."""

    agencies: list[str] | None = None  # None: all
    can_see_errors: bool = True  # messages of PostgreSQL, and names in notes
    can_see_runs: bool = True  # their requests

    def sees(self, manifests: Iterable[Manifest]) -> bool:
        return self.agencies is None or any(one.agency_slug in self.agencies for one in manifests)


SEES_ALL = Viewer()


def viewer_of(user: Any) -> Viewer:
    """Return what a user may see. Raises `ConfigurationError`."""
    return Viewer(
        agencies=agency_scope.agencies_of(user),
        can_see_errors=user.has_perm(error_redaction.PERMISSION),
        can_see_runs=user.has_perm(_RUN_PERMISSION),
    )


class ViewReader:
    """Reads the facts about one view."""

    def __init__(self, name: ViewName, viewer: Viewer, database: str | None) -> None:
        self.viewer, self._settings = viewer, conf.load()
        if viewer.agencies is not None:
            agency_scope.require_visible_table(str(name), viewer.agencies)
        self._tables = OptionalTables.read(DEFAULT_DB_ALIAS, read_only=True)
        self._named: Mapping[ViewName, NamedView] = {}
        self._rejected: Sequence[RejectedManifest] = ()
        self.view = self._find(name, database)

    def _find(self, name: ViewName, database: str | None) -> ViewKey:
        """Return the view, in the first database that has it, and keep the names of that database."""
        databases = self._settings.databases
        aliases = {*databases.values()} or {DEFAULT_DB_ALIAS}
        if len(aliases) > 1:
            specs = manifest_selection.select(SingleView(name=name), databases=databases).views
            aliases = {spec.key.database for spec in specs if self.viewer.sees(spec.manifests)}
        for alias in sorted(aliases if database is None else aliases & {database}):
            named = manifest_selection.named_views(alias, databases=databases)
            if name in named:
                self._named = named
                return ViewKey(database=alias, name=name)
        # Raises `UnknownTable` unless a disabled or rejected manifest names it.
        self._rejected = manifest_selection.select(SingleView(name=name), databases=databases).rejected
        listed = manifest_selection.all_listed_views(databases=databases)
        found = [key for key in listed if key.name == name and database in {None, key.database}]
        if not found and database is not None:
            raise UnknownTable(
                table=str(name), suggestion=Text(" None is in the database {database!r}.", database=database)
            )
        return min(found, default=ViewKey(database=DEFAULT_DB_ALIAS, name=name))

    @cached_property
    def related(self) -> RelatedNames:
        return view_relations.find_related(self.view, self._named, self._read_query)

    def _read_query(self) -> str | None:
        spec = self.read_specs({self.view.name}).get(self.view.name)
        return spec.query if spec else None

    @cached_property
    def specs(self) -> Mapping[ViewName, ViewSpec]:
        """The enabled manifests of the view and of those around it, in its database."""
        related = self.related
        return self.read_specs({self.view.name, *related.reads, *related.needs, *related.dependents})

    def read_specs(self, names: Set[ViewName]) -> Mapping[ViewName, ViewSpec]:
        spellings = {spelling for name in names & self._named.keys() for spelling in self._named[name].spellings}
        selection = manifest_selection.select_named(spellings, databases=self._settings.databases)
        return {spec.key.name: spec for spec in selection.views if spec.key.database == self.view.database}

    @cached_property
    def _ages(self) -> Mapping[ViewName, DataAge]:
        """As of when the data of the view and of those around it are, as far as they exist."""
        related = self.related
        return self.ages({self.view.name, *related.reads, *related.outside, *related.dependents})

    def ages(self, names: Set[ViewName]) -> Mapping[ViewName, DataAge]:
        """Return as of when the data of views are, as far as they exist."""
        keys = [ViewKey(database=self.view.database, name=name) for name in names]
        return {key.name: age for key, age in view_states.data_ages(keys, self._tables).items()}

    def outlook_scope(self, now: datetime) -> OutlookScope:
        """Return what the outlook needs of this view."""
        return OutlookScope(
            view=self.view,
            specs=self.specs,
            related=self.related,
            ages=self._ages,
            settings=self._settings,
            tables=self._tables,
            breaker=self._breaker,
            now=now,
            sees=self.viewer.sees,
            sees_all_agencies=self.viewer.agencies is None,
            can_see_errors=self.viewer.can_see_errors,
        )

    def story(self) -> ViewStory:
        """Return the stored facts."""
        view, tables, viewer = self.view, self._tables, self.viewer
        related, specs = self.related, self.specs
        spec = specs.get(view.name)
        states = self.facts({view.name, *related.reads, *related.dependents})
        facts, age = states[view.name], self._age(view.name)
        wanted = self._wanted_history(spec)
        latest = stored_refreshes.read_latest(
            wanted,
            tables,
            viewer.agencies,
            can_see_errors=viewer.can_see_errors,
            can_see_runs=viewer.can_see_runs,
        )
        now = sessions.server_time(DEFAULT_DB_ALIAS)
        return ViewStory(
            view=view,
            now=now,
            exists=related.exists,
            is_populated=related.is_populated,
            manifests=[one for one in spec.manifests if viewer.sees([one])] if spec else [],
            rejected=[one for one in self._rejected if viewer.sees([one.manifest])],
            facts=facts,
            age=age,
            last=latest.last,
            last_ended=latest.ended,
            last_success=latest.success,
            checks=(
                view_checks.stored_results(latest.ended.history_id, tables, can_see_errors=viewer.can_see_errors)
                if latest.ended
                else ()
            ),
            waivers=view_checks.open_waivers(view, tables),
            contracts=self._contracts(spec, facts, age, now),
            relations=self._relations(states),
        )

    def _spellings(self, name: ViewName) -> set[str]:
        listed = self._named[name].spellings if name in self._named else set()
        return {*listed, *agency_scope.name_spellings(str(name))}

    def _wanted_history(self, spec: ViewSpec | None) -> WantedHistory:
        is_alone = len({*self._settings.databases.values()}) <= 1 or spec is None
        return WantedHistory(
            database=self.view.database,
            names=self._spellings(self.view.name),
            manifests=None if is_alone or spec is None else [one.key for one in spec.manifests],
        )

    def facts(self, names: Set[ViewName]) -> Mapping[ViewName, ViewFacts]:
        """Return the latest state of each view. Takes one statement."""
        spellings = {spelling: name for name in names for spelling in self._spellings(name)}
        has_metrics = self._tables.is_usable("seeder_run_metrics")
        found = dict.fromkeys(names, ViewFacts())
        for spelling, facts in freshness_queries.view_facts(spellings, has_metrics=has_metrics).items():
            name = spellings[spelling]
            if facts.status is not None and _recency(facts) >= _recency(found[name]):
                found[name] = facts
        return found

    def failing(self, names: Set[ViewName]) -> Set[ViewName]:
        """Return the views whose last finished refresh failed. Takes one statement, and reads no history."""
        spellings = {spelling: name for name in names for spelling in self._spellings(name)}
        rows = JobStatus.objects.filter(table_name__in=spellings, consecutive_failures__gt=0)
        return {spellings[spelling] for spelling in rows.values_list("table_name", flat=True)}

    def _contracts(
        self, spec: ViewSpec | None, facts: ViewFacts, age: DataAge, now: datetime
    ) -> Sequence[AppliedContract]:
        if spec is None:
            return ()
        agencies = {one.agency_slug for one in spec.manifests if self.viewer.sees([one])}
        contracts = freshness_contracts.load_contracts(self._tables).of_view(self.view.name, agencies)
        held = replace(facts, is_held=facts.is_held or self._breaker.opened_at is not None)
        return [AppliedContract(contract=one, judgement=judge(one, age, held, now)) for one in contracts]

    @cached_property
    def _breaker(self) -> CircuitBreakerState:
        return CircuitBreakers(self._settings, self._tables).state(self.view.database)

    def _age(self, name: ViewName) -> DataAge:
        return self._ages.get(name, NEVER_RECORDED)

    def _relations(self, states: Mapping[ViewName, ViewFacts]) -> Relations:
        related, specs = self.related, self.specs

        def visible(names: Collection[ViewName]) -> list[RelatedView]:
            return [
                RelatedView(
                    view=ViewKey(database=self.view.database, name=name),
                    is_listed=name in specs,
                    facts=states[name],
                    age=self._age(name),
                )
                for name in sorted(names)
                if self.viewer.sees(specs[name].manifests if name in specs else ())
            ]

        reads, dependents = visible(related.reads), visible(related.dependents)
        return Relations(
            views=reads,
            hidden_views=len(related.reads) - len(reads),
            tables=related.tables,
            calls_opaque_functions=related.calls_opaque_functions,
            dependents=dependents,
            hidden_dependents=len(related.dependents) - len(dependents),
            further_dependents=len(related.further_dependents),
        )


def _recency(facts: ViewFacts) -> tuple[bool, datetime]:
    """Return a sort key: the state of the spelling that was refreshed last is the largest."""
    return facts.status is not None, facts.last_success_at or _LONG_AGO
