"""The freshness contracts of all views and their states. Reads only tables, so it needs no run and no worker."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache

from django.db import DEFAULT_DB_ALIAS

from seeder import conf
from seeder.domain.freshness.contract import ContractSeverity, FreshnessContract, InvalidContract
from seeder.domain.freshness.data_age import NEVER_RECORDED, DataAge
from seeder.domain.freshness.states import LATE_CAUSE_TEXTS, FreshnessState, Judgement, LateCause, ViewFacts, judge
from seeder.domain.manifests import ViewKey
from seeder.domain.monitoring.report_jobs import Job
from seeder.domain.view_names import ViewName
from seeder.models import CannedReportManifest, CircuitBreaker, CustomReportManifest
from seeder.postgres import freshness_queries, sessions
from seeder.postgres.contract import OptionalTables
from seeder.postgres.sqlstates import translate_database_errors
from seeder.services import freshness_contracts, view_states
from seeder.texts import Text

_URGENCIES = {
    FreshnessState.LATE: 0,
    FreshnessState.HELD: 1,
    FreshnessState.DUE: 2,
    FreshnessState.UNKNOWN: 3,
    FreshnessState.FRESH: 4,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class ContractStatus:
    """A contract that applies to a view, and its state."""

    view: ViewKey
    table_name: str  # as a manifest spells it
    agencies: Sequence[str]  # of the view's manifests
    contract: FreshnessContract
    judgement: Judgement
    age: DataAge
    spellings: Collection[str] = ()  # of the view's name in manifests

    @property
    def is_late(self) -> bool:
        return self.judgement.state is FreshnessState.LATE

    @property
    def is_alarm(self) -> bool:
        return self.is_late and self.contract.severity is ContractSeverity.ERROR

    @property
    def is_fresh(self) -> bool:
        return self.judgement.state is FreshnessState.FRESH

    @property
    def cause_text(self) -> str:
        """The cause of the state in words. Empty if it is fresh."""
        cause = self.judgement.cause
        if cause is LateCause.AGE_UNKNOWN:
            return str(self.age)
        return "" if cause is None else LATE_CAUSE_TEXTS[cause]


@dataclass(frozen=True, kw_only=True, slots=True)
class FreshnessOverview:
    """All contracts, most urgent first."""

    statuses: Sequence[ContractStatus] = ()
    invalid: Sequence[InvalidContract] = ()
    now: datetime | None = None  # by the database's clock; None without contracts
    is_available: bool = True  # the table exists

    @property
    def counts(self) -> Mapping[FreshnessState, int]:
        """The number of contracts in each state."""
        counts = Counter(one.judgement.state for one in self.statuses)
        return {state: counts[state] for state in FreshnessState}

    @property
    def late_tables(self) -> list[str]:
        """The views that miss a contract of severity error, in each spelling. They count as stale."""
        return sorted({table_name for one in self.statuses if one.is_alarm for table_name in one.spellings})

    def by_view(self) -> Mapping[ViewName | None, Sequence[ContractStatus]]:
        """Return the contracts of each view."""
        found = defaultdict[ViewName | None, list[ContractStatus]](list)
        for status in self.statuses:
            found[status.view.name].append(status)
        return found


@dataclass(frozen=True, kw_only=True, slots=True)
class ListedView:
    """A view of enabled manifests."""

    key: ViewKey
    table_name: str
    agencies: tuple[str, ...]  # of its manifests, in order
    spellings: Collection[str] = ()  # all, as manifests have them


@translate_database_errors(DEFAULT_DB_ALIAS)
def freshness_overview(
    agencies: Collection[str] | None = None, *, views: Collection[str] | None = None
) -> FreshnessOverview:
    """Return the contracts of these agencies and of their views (None: all), in any spelling of `views`.

    Takes two queries without contracts, otherwise about eight. Raises `ConfigurationError` or `DatabaseError`.
    """
    tables = OptionalTables.read(DEFAULT_DB_ALIAS, read_only=True)
    contracts = freshness_contracts.load_contracts(tables)
    if not contracts:
        return FreshnessOverview(is_available=tables.is_usable(freshness_contracts.TABLE))
    listed = list(listed_views(conf.load().databases))
    wanted = None if views is None else {ViewName.parse_or_none(name) for name in views}
    visible = None if agencies is None else frozenset(agencies)

    @cache
    def shared_by(slugs: Sequence[str]) -> Sequence[FreshnessContract]:
        return [one for one in contracts.shared_by(slugs) if visible is None or one.agency in visible]

    contracted, applying = list[ListedView](), list[Sequence[FreshnessContract]]()
    for view in listed:
        is_wanted = wanted is None or view.key.name in wanted
        if is_wanted and (visible is None or not visible.isdisjoint(view.agencies)):
            own = contracts.of_views.get(view.key.name) if contracts.of_views else None
            if found := own or shared_by(view.agencies):
                contracted.append(view)
                applying.append(found)
    now = sessions.server_time(DEFAULT_DB_ALIAS)
    all_facts = _facts(contracted, tables)
    ages = view_states.data_ages([view.key for view in contracted], tables)
    statuses = [
        ContractStatus(
            view=view.key,
            table_name=view.table_name,
            agencies=view.agencies,
            contract=contract,
            judgement=judge(contract, age, facts, now),
            age=age,
            spellings=view.spellings,
        )
        for view, found, facts in zip(contracted, applying, all_facts, strict=True)
        for age in [ages.get(view.key, NEVER_RECORDED)]
        for contract in found
    ]
    known = {view.key.name for view in listed} if contracts.of_views else ()
    unlisted = [
        InvalidContract(
            id=contract.id,
            message=Text("Contract {id}: no enabled manifest has the view {view}.", id=contract.id, view=str(name)),
        )
        for name in sorted(contracts.of_views.keys() - known)
        for contract in contracts.of_views[name]
        if agencies is None and views is None
    ]
    return FreshnessOverview(statuses=sorted(statuses, key=_urgency), invalid=[*contracts.invalid, *unlisted], now=now)


def contracts_of_jobs(jobs: Sequence[Job], agencies: Collection[str] | None) -> Mapping[str, Sequence[ContractStatus]]:
    """Return the contracts of the views of jobs, by the job's table name, as far as these agencies may see them.

    Raises as `freshness_overview`.
    """
    by_name = defaultdict[ViewName | None, list[ContractStatus]](list)
    for status in freshness_overview(agencies, views=[job.table_name for job in jobs]).statuses:
        by_name[status.view.name].append(status)
    return {job.table_name: by_name[ViewName.parse_or_none(job.table_name)] for job in jobs}


def _urgency(status: ContractStatus) -> tuple[int, bool, str, int]:
    state, contract = status.judgement.state, status.contract
    is_warn = contract.severity is ContractSeverity.WARN
    return _URGENCIES[state], is_warn, status.table_name, contract.id


def listed_views(databases: Mapping[int, str], *, agency: str | None = None) -> Iterator[ListedView]:
    """Yield the views of enabled manifests, or only those of one agency, once under their first spelling."""
    of_agency = {} if agency is None else {"agency_slug": agency}
    rows = [
        *CustomReportManifest.objects.enabled()
        .filter(**of_agency)
        .values_list("table_name", "agency_slug", "database_id"),
        *CannedReportManifest.objects.filter(**of_agency)
        .exclude(canned_report__table_name=None)
        .values_list("canned_report__table_name", "agency_slug", "canned_report__database_id"),
    ]
    names = {table_name: ViewName.parse_or_none(table_name) for table_name, _, _ in rows}
    one_agency = {slug: (slug,) for _, slug, _ in rows}  # one tuple for all views of an agency
    spellings, agencies = dict[tuple[str, str, str], tuple[str, ...]](), dict[tuple[str, str, str], tuple[str, ...]]()
    for table_name, slug, database_id in rows:
        name = names[table_name]
        if name is not None and (not databases or database_id in databases):
            key = (databases.get(database_id, DEFAULT_DB_ALIAS), name.schema, name.name)
            if key in agencies:
                spellings[key], agencies[key] = (*spellings[key], table_name), (*agencies[key], slug)
            else:
                spellings[key], agencies[key] = (table_name,), one_agency[slug]
    for key, spelled in spellings.items():
        slugs = agencies[key]
        yield ListedView(
            key=ViewKey(database=key[0], name=ViewName(schema=key[1], name=key[2])),
            table_name=spelled[0],
            agencies=slugs if len(slugs) == 1 else tuple(sorted({*slugs})),
            spellings=spelled if len(spelled) == 1 else tuple(dict.fromkeys(spelled)),
        )


def _facts(views: Sequence[ListedView], tables: OptionalTables) -> Sequence[ViewFacts]:
    """Return the facts of views in their order."""
    has_metrics = tables.is_usable("seeder_run_metrics")
    facts = freshness_queries.view_facts([view.table_name for view in views], has_metrics=has_metrics)
    paused = set[str]()
    if tables.is_usable("seeder_circuit_breaker"):
        paused = set(CircuitBreaker.objects.exclude(opened_at=None).values_list("pk", flat=True))
    return [
        replace(facts[view.table_name], is_held=True) if view.key.database in paused else facts[view.table_name]
        for view in views
    ]
