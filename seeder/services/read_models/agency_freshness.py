"""How fresh the data of one agency are, for many readers."""

from datetime import timedelta
from functools import lru_cache
from time import monotonic
from zoneinfo import ZoneInfo

from django.conf import settings as host_settings
from django.db import DEFAULT_DB_ALIAS

from seeder import conf
from seeder.domain.freshness.agency_freshness import AgencyFreshness, AgencyView, agency_freshness
from seeder.domain.freshness.contract import FreshnessContract
from seeder.domain.freshness.data_age import DataAge
from seeder.domain.freshness.states import ViewFacts
from seeder.postgres import freshness_queries, sessions
from seeder.postgres.contract import OptionalTables
from seeder.postgres.sqlstates import translate_database_errors
from seeder.services import freshness_contracts, view_states
from seeder.services.freshness_contracts import Contracts
from seeder.services.read_models.listed_views import ListedView, listed_views

CACHE_SECONDS = 30  # how long a process gives all readers the same answer


def shared_freshness(agency: str) -> AgencyFreshness:
    """Return an answer that is at most `CACHE_SECONDS` old. Raises as `read_freshness`.

    So the number of statements depends on the agencies, and not on the readers.
    """
    return _freshness_in(int(monotonic() // CACHE_SECONDS), agency)


@lru_cache(maxsize=1024)
def _freshness_in(period: int, agency: str) -> AgencyFreshness:  # noqa: ARG001  # a part of the key
    return read_freshness(agency)


@translate_database_errors(DEFAULT_DB_ALIAS)
def read_freshness(agency: str) -> AgencyFreshness:
    """Read how fresh the views of an agency's enabled manifests are.

    A view without a contract has to be as new as STALE_HOURS say. Raises `ConfigurationError` or `DatabaseError`.
    """
    settings = conf.load()
    tables = OptionalTables.read(DEFAULT_DB_ALIAS, read_only=True)
    contracts = freshness_contracts.load_contracts(tables, agency=agency)
    listed = list(listed_views(settings.databases, agency=agency))
    ages = view_states.data_ages([view.key for view in listed], tables)
    unknown = [view.table_name for view in listed if not _is_known(ages.get(view.key))]
    facts = freshness_queries.view_facts(unknown, has_metrics=False) if unknown else {}
    default = FreshnessContract(
        id=0, view=None, agency=agency, target_lag=timedelta(hours=settings.stale_hours), due=None
    )
    views = [
        AgencyView(
            age=ages.get(view.key),
            facts=facts.get(view.table_name) or ViewFacts(last_success_at=ages[view.key].as_of),
            contracts=_contracts_of(view, contracts, agency) or [default],
        )
        for view in listed
    ]
    return agency_freshness(views, sessions.server_time(DEFAULT_DB_ALIAS), _zone(contracts, agency))


def _is_known(age: DataAge | None) -> bool:
    return age is not None and age.as_of is not None


def _contracts_of(view: ListedView, contracts: Contracts, agency: str) -> list[FreshnessContract]:
    return [*contracts.of_view(view.key.name, [agency])]


def _zone(contracts: Contracts, agency: str) -> ZoneInfo:
    """Return the time zone of the agency's due times if they agree, otherwise the host's."""
    zones = {one.due.zone.key for one in contracts.of_agencies.get(agency, ()) if one.due is not None}
    return ZoneInfo(zones.pop() if len(zones) == 1 else host_settings.TIME_ZONE)
