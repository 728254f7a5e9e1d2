"""The deadlines of the views of a run, from their freshness contracts."""

from collections.abc import Sequence

from django.db import DEFAULT_DB_ALIAS

from seeder.domain.freshness.data_age import NEVER_RECORDED
from seeder.domain.freshness.deadlines import ContractDeadline, RunDeadlines, next_deadline
from seeder.domain.manifests import ViewKey, ViewSpec
from seeder.postgres import sessions
from seeder.postgres.contract import OptionalTables
from seeder.services import freshness_contracts, view_states


def find_deadlines(views: Sequence[ViewSpec], tables: OptionalTables, workers: int) -> RunDeadlines:
    """Return the deadlines of views. Takes one query if there are no contracts."""
    contracts = freshness_contracts.load_contracts(tables)
    if not contracts:
        return RunDeadlines()
    now = sessions.server_time(DEFAULT_DB_ALIAS)
    of_views: dict[ViewKey, Sequence[ContractDeadline]] = {}
    ages = view_states.data_ages([spec.key for spec in views], tables)
    for spec in views:
        as_of = ages.get(spec.key, NEVER_RECORDED).as_of
        applying = contracts.of_view(spec.key.name, [manifest.agency_slug for manifest in spec.manifests])
        deadlines = [
            ContractDeadline(contract=contract, at=at)
            for contract in applying
            if (at := next_deadline(contract, as_of, now)) is not None
        ]
        if deadlines:
            of_views[spec.key] = deadlines
    return RunDeadlines(now=now, workers=workers, of_views=of_views)
