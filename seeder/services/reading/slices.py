"""Long lists, the latest first, a slice at a time: nothing is counted, and no slice is dearer than the first."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from django.db import DEFAULT_DB_ALIAS
from django.db.models import Model, Q, QuerySet

from seeder.postgres.sqlstates import translate_database_errors

Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """After which row a slice begins."""

    instant: datetime
    key: str | int  # its primary key, which decides between rows of one instant


@dataclass(frozen=True, kw_only=True, slots=True)
class Slice(Generic[Row]):
    """Some rows, and where the next slice begins; None where there is none."""

    rows: Sequence[Row]
    after: Place | None


def cut(rows: Callable[[], QuerySet[Row]], by: str, place: Place | None, *, most: int) -> Slice[Row]:
    """The rows after a place, the greatest `by` first. Raises `ConfigurationError` or `DatabaseError`."""
    with translate_database_errors(DEFAULT_DB_ALIAS):
        # One more than is shown says whether there is a next slice.
        found = list(_from(rows(), by, place).order_by(f"-{by}", "-pk")[: most + 1])
    shown = found[:most]
    return Slice(rows=shown, after=_place(shown[-1], by) if len(found) > most else None)


def _from(rows: QuerySet[Row], by: str, place: Place | None) -> QuerySet[Row]:
    if place is None:
        return rows
    # The first condition is the one that an index answers.
    earlier = Q(**{f"{by}__lt": place.instant}) | Q(pk__lt=place.key)
    return rows.filter(Q(**{f"{by}__lte": place.instant}), earlier)


def _place(row: Any, by: str) -> Place:
    return Place(instant=getattr(row, by), key=row.pk)
