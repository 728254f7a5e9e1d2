"""Reads freshness contracts, and which of them apply to a view."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain

from django.db.models import Q

from seeder.domain.freshness.contract import (
    ContractSeverity,
    DueTime,
    FreshnessContract,
    InvalidContract,
    parse_days,
    parse_zone,
)
from seeder.domain.view_names import ViewName
from seeder.errors import BadName
from seeder.models import Freshness
from seeder.postgres.contract import OptionalTables
from seeder.texts import Text

TABLE = "seeder_freshness"


@dataclass(frozen=True, kw_only=True, slots=True)
class Contracts:
    """All contracts: those of views, those of agencies, and those that cannot be read."""

    of_views: Mapping[ViewName, Sequence[FreshnessContract]] = field(default_factory=dict)
    of_agencies: Mapping[str, Sequence[FreshnessContract]] = field(default_factory=dict)
    invalid: Sequence[InvalidContract] = ()

    def __bool__(self) -> bool:
        return bool(self.of_views or self.of_agencies or self.invalid)

    @property
    def all(self) -> Iterator[FreshnessContract]:
        return chain.from_iterable((*self.of_views.values(), *self.of_agencies.values()))

    def visible_to(self, agencies: Collection[str]) -> "Contracts":
        """Return these without the contracts of other agencies."""
        return replace(
            self, of_agencies={slug: self.of_agencies[slug] for slug in self.of_agencies.keys() & {*agencies}}
        )

    def of_view(self, view: ViewName | None, agencies: Collection[str]) -> Sequence[FreshnessContract]:
        """Return the contracts of a view that these agencies use. Its own ones replace those of its agencies."""
        if view is not None and (own := self.of_views.get(view)):
            return own
        return self.shared_by(agencies)

    def shared_by(self, agencies: Collection[str]) -> Sequence[FreshnessContract]:
        """Return the contracts of these agencies, for their views without own ones."""
        return [one for agency in sorted(set(agencies)) for one in self.of_agencies.get(agency, ())]


def load_contracts(tables: OptionalTables, *, agency: str | None = None) -> Contracts:
    """Return the contracts, or only those of views and of one agency. None if their table is missing."""
    if not tables.is_usable(TABLE):
        return Contracts()
    wanted = Q() if agency is None else Q(agency_slug=agency) | Q(agency_slug=None)
    return _group(Freshness.objects.filter(wanted).order_by("id"))


def _group(rows: Iterable[Freshness]) -> Contracts:
    of_views, of_agencies = (
        defaultdict[ViewName, list[FreshnessContract]](list),
        defaultdict[str, list[FreshnessContract]](list),
    )
    invalid: list[InvalidContract] = []
    for row in rows:
        try:
            contract = _contract(row)
        except (ValueError, BadName) as error:
            message = Text("Contract {id} cannot be read: {problem}.", id=row.pk, problem=str(error))
            invalid.append(InvalidContract(id=row.pk, message=message))
            continue
        if contract.view is not None:
            of_views[contract.view].append(contract)
        elif contract.agency is not None:
            of_agencies[contract.agency].append(contract)
    return Contracts(of_views=dict(of_views), of_agencies=dict(of_agencies), invalid=invalid)


def _contract(row: Freshness) -> FreshnessContract:
    """Return the contract of a row. Raises `ValueError` or `BadName`."""
    due = None
    if row.due_at is not None:
        zone, days = parse_zone(row.due_zone), parse_days(row.due_days)
        due = DueTime(at=row.due_at, since=row.due_since, zone=zone, days=days)
    return FreshnessContract(
        id=row.pk,
        view=None if row.table_name is None else ViewName.parse(row.table_name),
        agency=row.agency_slug,
        target_lag=row.target_lag,
        due=due,
        grace=row.grace,
        severity=ContractSeverity(row.severity),
    )
