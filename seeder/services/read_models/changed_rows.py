"""Samples of the rows that refreshes of a view changed, as a user may see them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db import DEFAULT_DB_ALIAS
from django.db.models import QuerySet

from seeder.domain.manifests import ViewKey
from seeder.domain.row_changes import ChangedRow
from seeder.models import ChangeSample
from seeder.postgres.contract import OptionalTables
from seeder.services import change_samples


@dataclass(frozen=True, kw_only=True, slots=True)
class VisibleSample:
    """A sample, or a request that still waits for its refresh."""

    row: ChangeSample
    rows: Sequence[ChangedRow]  # empty if the user may not see data
    hides_data: bool  # there are rows that the user may not see

    @property
    def is_waiting(self) -> bool:
        return self.row.history_id is None


def has_samples() -> bool:
    """Return whether this role can read the optional table of samples."""
    return OptionalTables.read(DEFAULT_DB_ALIAS, read_only=True).is_usable(change_samples.TABLE)


def samples_of(view: ViewKey) -> QuerySet[ChangeSample]:
    """Return the samples of a view, and the request that waits."""
    return ChangeSample.objects.filter(table_name=str(view.name), database_alias=view.database)


def visible_samples(rows: Iterable[ChangeSample], *, can_see_data: bool) -> Sequence[VisibleSample]:
    """Return samples without their rows, which are data, unless the user may see these."""
    return [
        VisibleSample(
            row=row,
            rows=[ChangedRow.from_stored(one) for one in row.rows or ()] if can_see_data else (),
            hides_data=not can_see_data and bool(row.rows),
        )
        for row in rows
    ]
