"""The freshness contracts of all views and their states. Reads only tables, so it needs no run and no worker."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from datetime import datetime

from django.db import DEFAULT_DB_ALIAS

from seeder import conf
from seeder.domain.freshness.contract import ContractSeverity, FreshnessContract, InvalidContract
from seeder.domain.freshness.data_age import NEVER_RECORDED, DataAge
from seeder.domain.freshness.states import LATE_CAUSE_TEXTS, FreshnessState, Judgement, LateCause, ViewFacts, judge
from seeder.domain.manifests import ViewKey
from seeder.domain.monitoring.report_jobs import ContractedViews
from seeder.domain.view_names import ViewName
from seeder.models import CircuitBreaker
from seeder.postgres import freshness_queries, sessions, view_state_queries
from seeder.postgres.contract import OptionalTables
from seeder.postgres.freshness_queries import FreshViews
from seeder.postgres.sqlstates import translate_database_errors
from seeder.services import freshness_contracts, view_states
from seeder.services.freshness_contracts import Contracts
from seeder.services.read_models import listed_views
from seeder.services.read_models.listed_views import ListedView
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
    contracts: Contracts = field(default_factory=Contracts)  # that the agencies may see
    other_fresh: int = 0  # contracts that are fresh and not in `statuses`
    now: datetime | None = None  # by the database's clock; None without contracts
    is_available: bool = True  # the table exists

    @property
    def counts(self) -> Mapping[FreshnessState, int]:
        """The number of contracts in each state."""
        counts = Counter(one.judgement.state for one in self.statuses)
        counts[FreshnessState.FRESH] += self.other_fresh
        return {state: counts[state] for state in FreshnessState}

    @property
    def total(self) -> int:
        """The number of contracts that apply to views, one for each of them."""
        return len(self.statuses) + self.other_fresh

    def __bool__(self) -> bool:
        """Whether there are contracts, even if none can be read."""
        return bool(self.total or self.invalid)

    @property
    def contracted(self) -> ContractedViews:
        """The views with contracts, for the list of jobs: a contract decides if they are stale, not STALE_HOURS.

        The statuses have all views that manifests spell in another way than the server.
        """
        unknown = (one for one in self.statuses if one.judgement.state is FreshnessState.UNKNOWN)
        return ContractedViews(
            late_tables=_spellings(one for one in self.statuses if one.is_alarm),
            contract_agencies=sorted(self.contracts.of_agencies),
            contract_tables=sorted({*map(str, self.contracts.of_views), *_spellings(self.statuses)}),
            unjudged_tables=_spellings(unknown),
        )

    def by_view(self) -> Mapping[ViewName | None, Sequence[ContractStatus]]:
        """Return the contracts of each view."""
        found = defaultdict[ViewName | None, list[ContractStatus]](list)
        for status in self.statuses:
            found[status.view.name].append(status)
        return found


def _spellings(statuses: Iterable[ContractStatus]) -> list[str]:
    return sorted({table_name for one in statuses for table_name in one.spellings})


@translate_database_errors(DEFAULT_DB_ALIAS)
def freshness_overview(
    agencies: Collection[str] | None = None,
    *,
    with_fresh: int | None = 0,
    views: Set[ViewName] | None = None,
    with_counts: bool = True,
) -> FreshnessOverview:
    """Return the contracts of these agencies and of their views (None: all) that are not fresh.

    The others are counted, except those of the first `with_fresh` views (None: all), which are returned, too. Or return
    all contracts of `views`. Without `with_counts`, neither fresh contracts nor those of unknown views are known. Takes
    two queries without contracts, otherwise about eight. Raises `ConfigurationError` or `DatabaseError`.
    """
    tables = OptionalTables.read(DEFAULT_DB_ALIAS, read_only=True)
    contracts = freshness_contracts.load_contracts(tables)
    if not contracts:
        return FreshnessOverview(is_available=tables.is_usable(freshness_contracts.TABLE))
    visible = contracts if agencies is None else contracts.visible_to(agencies)
    now, databases = sessions.server_time(DEFAULT_DB_ALIAS), conf.load().databases
    fresh: Sequence[FreshViews] = ()
    if with_fresh is None or not tables.is_usable(view_state_queries.TABLE):
        listed: Sequence[ListedView] = [*listed_views.listed_views(databases)]
    elif views is not None:
        listed = listed_views.named_views(databases, views)
    else:
        listed, fresh = listed_views.views_to_judge(
            databases, visible, now, max_fresh=with_fresh, with_counts=with_counts
        )

    def is_visible(view: ListedView | FreshViews) -> bool:
        return agencies is None or not {*agencies}.isdisjoint(view.agencies)

    contracted = [
        (view, found)
        for view in listed
        if is_visible(view) and (found := visible.of_view(view.key.name, view.agencies))
    ]
    known = {*(view.key.name for view in listed), *(one.name for one in fresh)}
    is_complete = agencies is None and views is None and with_counts
    unlisted = contracts.of_views.keys() - known if is_complete else ()
    return FreshnessOverview(
        statuses=sorted(_judge(contracted, tables, now), key=_urgency),
        contracts=visible,
        other_fresh=sum(one.number * len(visible.of_view(one.name, one.agencies)) for one in fresh if is_visible(one)),
        invalid=[
            *contracts.invalid,
            *(_unlisted(one) for name in sorted(unlisted) for one in contracts.of_views[name]),
        ],
        now=now,
    )


def _judge(
    contracted: Sequence[tuple[ListedView, Sequence[FreshnessContract]]], tables: OptionalTables, now: datetime
) -> Iterator[ContractStatus]:
    """Yield the states of views' contracts."""
    views = [view for view, _ in contracted]
    ages = view_states.data_ages([view.key for view in views], tables)
    for (view, contracts), facts in zip(contracted, _facts(views, tables), strict=True):
        age = ages.get(view.key, NEVER_RECORDED)
        for contract in contracts:
            yield ContractStatus(
                view=view.key,
                table_name=view.table_name,
                agencies=view.agencies,
                contract=contract,
                judgement=judge(contract, age, facts, now),
                age=age,
                spellings=view.spellings,
            )


def _unlisted(contract: FreshnessContract) -> InvalidContract:
    message = Text("Contract {id}: no enabled manifest has the view {view}.", id=contract.id, view=str(contract.view))
    return InvalidContract(id=contract.id, message=message)


def _urgency(status: ContractStatus) -> tuple[int, bool, str, int]:
    state, contract = status.judgement.state, status.contract
    is_warn = contract.severity is ContractSeverity.WARN
    return _URGENCIES[state], is_warn, status.table_name, contract.id


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
