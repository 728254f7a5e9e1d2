"""How long a plain and a concurrent refresh of a view would take.

A concurrent refresh runs the query as a plain one does, and then sorts and compares the rows:

    T_concurrent = T_plain + k * R * log2(R) * (unchanged | changed + per_churn * churn)

R is the number of rows and churn the share of changed ones. The constants were fitted on PostgreSQL 15 and 18 with
5,000 and 40,000 rows; for 150,000 rows the median error was 8 and 11 %. `k` is learned, because machines differ: from
the view if both modes have been measured, otherwise from the other views of the plan.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from math import log2
from statistics import median


class RefreshMode(StrEnum):
    """How a view was refreshed."""

    PLAIN = "plain"  # blocks readers
    CONCURRENT = "concurrent"  # does not block readers


def unchanged_rows(mode: str | None, rows: int | None, inserted: int | None) -> int | None:
    """Return the rows that a refresh left as they were. None if unknown, as after a plain one, which writes all."""
    if mode != RefreshMode.CONCURRENT or rows is None or inserted is None:
        return None
    return max(rows - inserted, 0)


_UNCHANGED, _CHANGED, _PER_CHURN = 2.8e-7, 9.5e-7, 6.0e-7  # seconds
_RECENT = 10  # refreshes that predict the next one; older ones are no evidence
_RECENT_CHURN = 5
_MIN_WITHOUT_OUTLIER = 3  # from this number on, the longest does not count
_TRIED_AGAIN_AFTER = 5  # concurrent refreshes
_MAX_RATIO = 14  # the largest measured ratio of a concurrent to a plain refresh
_INDEX_ALLOWANCE = 2  # a plain refresh to the creation of the view, which had no indexes yet


@dataclass(frozen=True, kw_only=True, slots=True)
class PastRefresh:
    """A successful refresh, or the creation of a view."""

    mode: RefreshMode | None  # None: creation
    duration: timedelta
    rows: int  # afterwards
    rows_inserted: int | None = None
    rows_deleted: int | None = None
    size_bytes: int = 0  # afterwards, with indexes and TOAST

    @property
    def churn(self) -> float | None:
        """The share of rows that changed. Only a concurrent refresh measures it."""
        if self.mode is not RefreshMode.CONCURRENT or self.rows_inserted is None or self.rows_deleted is None:
            return None
        return min(max(self.rows_inserted, self.rows_deleted) / max(self.rows, 1), 1.0)


@dataclass(frozen=True, kw_only=True, slots=True)
class Prediction:
    """What is known about the next refresh. Unknown figures are None."""

    plain: timedelta | None = None
    concurrent: timedelta | None = None
    churn: float | None = None  # the usual share of changed rows
    bloat: float | None = None  # size of a row on disk, relative to the last plain refresh


def predict(past: Sequence[PastRefresh], *, scale: float = 1.0) -> Prediction:
    """Predict the next refresh from earlier ones, the latest first. `scale` is `k`, by `learn_scale`."""
    if not past:
        return Prediction()
    recent, rows = past[:_RECENT], past[0].rows
    churns = [one.churn for one in recent if one.churn is not None][:_RECENT_CHURN]
    churn = median(churns) if churns else None
    plain = _predict_plain(recent, rows, scale)
    measured = [_scaled(one, rows) for one in recent if one.mode is RefreshMode.CONCURRENT]
    concurrent = median(measured) if measured else plain + scale * _comparison_seconds(rows, churn)
    return Prediction(
        plain=timedelta(seconds=plain), concurrent=timedelta(seconds=concurrent), churn=churn, bloat=_bloat(past)
    )


def learn_scale(past: Iterable[PastRefresh]) -> float | None:
    """Return `k` of a view, or None unless both modes have been measured."""
    past = list(past)
    plain = [one for one in past if one.mode is RefreshMode.PLAIN]
    concurrent = [one for one in past if one.mode is RefreshMode.CONCURRENT]
    if not plain or not concurrent:
        return None
    rows = plain[0].rows
    usual = median(_scaled(one, rows) for one in plain)
    return median(
        max(one.duration.total_seconds() - usual * _ratio(one.rows, rows), 0.0)
        / _comparison_seconds(one.rows, one.churn)
        for one in concurrent
    )


def _predict_plain(recent: Sequence[PastRefresh], rows: int, scale: float) -> float:
    """Return the seconds that a plain refresh hardly exceeds: the longest of the recent ones, without an outlier.

    After some concurrent refreshes it is the usual one: a view close to the limit is tried again, instead of staying
    dear because of one busy night. Without a recent plain refresh, the others say what one would have taken: a
    concurrent one took longer, and a creation was shorter.
    """
    by_mode = {mode: [one for one in recent if one.mode is mode] for mode in (*RefreshMode, None)}
    if plain := sorted(_scaled(one, rows) for one in by_mode[RefreshMode.PLAIN]):
        since = next(index for index, one in enumerate(recent) if one.mode is RefreshMode.PLAIN)
        if since >= _TRIED_AGAIN_AFTER:
            return median(plain)
        return plain[-2] if len(plain) >= _MIN_WITHOUT_OUTLIER else plain[-1]
    if concurrent := by_mode[RefreshMode.CONCURRENT]:
        return median(_plain_part(one, scale) * _ratio(rows, one.rows) for one in concurrent)
    return max(_scaled(one, rows) * _INDEX_ALLOWANCE for one in by_mode[None])


def _plain_part(one: PastRefresh, scale: float) -> float:
    seconds = one.duration.total_seconds()
    return max(seconds - scale * _comparison_seconds(one.rows, one.churn), seconds / _MAX_RATIO)


def _comparison_seconds(rows: int, churn: float | None) -> float:
    """Return the seconds that a concurrent refresh takes to sort and compare, on the machine of the measurement."""
    per_unit = _UNCHANGED if churn == 0 else _CHANGED + _PER_CHURN * (churn or 0.0)
    return max(rows, 2) * log2(max(rows, 2)) * per_unit


def _scaled(one: PastRefresh, rows: int) -> float:
    """Return the seconds that it would take with another number of rows."""
    return one.duration.total_seconds() * _ratio(rows, one.rows)


def _ratio(rows: int, other_rows: int) -> float:
    return rows / other_rows if rows and other_rows else 1.0


def _bloat(past: Sequence[PastRefresh]) -> float | None:
    latest = past[0]
    compact = next((one for one in past if one.mode is RefreshMode.PLAIN and one.size_bytes and one.rows), None)
    if compact is None or not latest.rows:
        return None
    return (latest.size_bytes / latest.rows) / (compact.size_bytes / compact.rows)
