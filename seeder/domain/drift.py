"""What is different between two snapshots, and whether that matters."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from typing import TypedDict

from seeder.domain.distances import of_tops
from seeder.domain.drift_rules import DEFAULTS, Kind, Rule, Severity, severity
from seeder.domain.shapes import Column
from seeder.domain.snapshots import ColumnFigures, Snapshot

_NUMBERS = re.compile(r"smallint|integer|bigint|numeric(\(.*\))?|real|double precision")
_MAJOR = 10000  # of a server's version number
_SHOWN = 5  # top values, in a finding; the snapshots have them all


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One difference, with its numbers and the rule that says how much it matters."""

    kind: Kind
    column: str | None = None  # None where it is about the whole view
    base: str | int | float | None = None
    compare: str | int | float | None = None
    absolute: float | None = None  # signed, in the unit that the rules have for this kind; None: it has no size
    relative: float | None = None  # signed; None: it has no size, or the base is nothing
    severity: Severity = Severity.NONE
    rule: Rule | None = None  # None where none fired
    exact: bool = True  # or one of the two is an estimate


@dataclass(frozen=True, kw_only=True, slots=True)
class Comparison:
    """Two snapshots with all that is different, the gravest first."""

    base: Snapshot
    compare: Snapshot
    findings: tuple[Finding, ...]

    @property
    def severity(self) -> Severity:
        return max((finding.severity for finding in self.findings), default=Severity.NONE)


def compare(base: Snapshot, other: Snapshot, rules: Sequence[Rule] = DEFAULTS) -> Comparison:
    """Everything that is different in `other`, be it of no severity."""
    differences = [
        *_of_columns(base.shape.columns, other.shape.columns),
        *_of_definition(base, other),
        *_of_rows(base, other),
        *_of_figures(base, other),
    ]
    judged = [_judged(finding, rules) for finding in differences]
    return Comparison(base=base, compare=other, findings=tuple(sorted(judged, key=lambda finding: -finding.severity)))


def _judged(found: Finding, rules: Sequence[Rule]) -> Finding:
    grave, rule = severity(rules, found.kind, absolute=found.absolute, relative=found.relative)
    return replace(found, severity=grave, rule=rule)


def _of_columns(base: Sequence[Column], other: Sequence[Column]) -> Iterator[Finding]:
    before, after = ({column.name: column for column in columns} for columns in (base, other))
    for name in [name for name in before if name not in after]:
        yield Finding(kind=Kind.COLUMN_REMOVED, column=name, base=before[name].type)
    for name in [name for name in after if name not in before]:
        yield Finding(kind=Kind.COLUMN_ADDED, column=name, compare=after[name].type)
    kept, now_kept = [name for name in before if name in after], [name for name in after if name in before]
    for name in kept:
        was, now = before[name], after[name]
        if was.type != now.type:
            yield Finding(kind=Kind.COLUMN_RETYPED, column=name, base=was.type, compare=now.type)
        if was.nullable != now.nullable:
            words = {True: "nullable", False: "not null"}
            yield Finding(kind=Kind.NULLABILITY, column=name, base=words[was.nullable], compare=words[now.nullable])
    if kept != now_kept:
        yield Finding(kind=Kind.COLUMN_REORDERED, base=", ".join(kept), compare=", ".join(now_kept))


def _of_definition(base: Snapshot, other: Snapshot) -> Iterator[Finding]:
    """Nothing where the two servers may print one query differently."""
    versions = {snapshot.shape.server_version // _MAJOR for snapshot in (base, other)}
    if len(versions) == 1 and base.shape.definition != other.shape.definition:
        yield Finding(kind=Kind.DEFINITION, base=base.shape.definition, compare=other.shape.definition)


def _of_rows(base: Snapshot, other: Snapshot) -> Iterator[Finding]:
    was, now = base.figures.rows, other.figures.rows
    if was != now:
        exact = base.figures.exact and other.figures.exact
        yield Finding(kind=Kind.ROWS, base=was, compare=now, exact=exact, **_difference(was, now))


def _of_figures(base: Snapshot, other: Snapshot) -> Iterator[Finding]:
    for column in base.shape.columns:
        if column.name in other.figures.columns:
            yield from _of_column(column.name, base, other)


def _of_column(name: str, base: Snapshot, other: Snapshot) -> Iterator[Finding]:
    was, now = base.figures.columns[name], other.figures.columns[name]
    rows, now_rows = base.figures.rows, other.figures.rows
    found = partial(Finding, column=name, exact=was.exact and now.exact)
    if was.nulls is not None and now.nulls is not None and rows and now_rows:
        share, now_share = Fraction(was.nulls, rows), Fraction(now.nulls, now_rows)
        moved = now_share - share  # as a difference of floats, 5 points may be less than 0.05
        if moved:
            size: _Size = {"absolute": float(moved * max(rows, now_rows)), "relative": float(moved)}
            yield found(kind=Kind.NULL_SHARE, base=float(share), compare=float(now_share), **size)
    if was.distinct is not None and now.distinct is not None and was.distinct != now.distinct:
        size = _difference(was.distinct, now.distinct)
        yield found(kind=Kind.DISTINCT, base=was.distinct, compare=now.distinct, **size)
    if (was.minimum, was.maximum) != (now.minimum, now.maximum) and _knows_range(was) and _knows_range(now):
        of_numbers = all(_is_number(name, snapshot) for snapshot in (base, other))
        size = _widened(was, now) if of_numbers else {}
        yield found(kind=Kind.RANGE, base=_range(was), compare=_range(now), **size)
    if was.top is not None and now.top is not None and was.nulls is not None and now.nulls is not None:
        filled, now_filled = rows - was.nulls, now_rows - now.nulls
        distance = of_tops(was.top, filled, now.top, now_filled)
        if distance:
            size = {"absolute": float(max(filled, now_filled)), "relative": distance}
            yield found(kind=Kind.TOP_VALUES, base=_tops(was), compare=_tops(now), **size)


class _Size(TypedDict, total=False):
    """Of a finding."""

    absolute: float | None
    relative: float | None


def _difference(was: int, now: int) -> _Size:
    """Its size, and what share of the base that is; to a base of nothing there is no relation."""
    return {"absolute": float(now - was), "relative": (now - was) / was if was else None}


def _range(figures: ColumnFigures) -> str | None:
    return None if figures.minimum is None else f"{figures.minimum} … {figures.maximum}"


def _knows_range(figures: ColumnFigures) -> bool:
    """An estimate has none where no value was in the sample, or none that can be compared."""
    return figures.exact or figures.minimum is not None


def _tops(figures: ColumnFigures) -> str:
    shown = [f"{top.value} ({top.count})" for top in (figures.top or ())[:_SHOWN]]
    return ", ".join(shown + ["…"] * (len(figures.top or ()) > _SHOWN))


def _is_number(name: str, snapshot: Snapshot) -> bool:
    return any(column.name == name and _NUMBERS.fullmatch(column.type) for column in snapshot.shape.columns)


def _widened(was: ColumnFigures, now: ColumnFigures) -> _Size:
    """By how much a range of numbers became wider, and what share of the base's width that is; nothing where a width is
    no finite number."""
    try:
        least, most, now_least, now_most = (
            Fraction(end or "") for end in (was.minimum, was.maximum, now.minimum, now.maximum)
        )
        grown = (now_most - now_least) - (most - least)
        return {"absolute": float(grown), "relative": float(grown / (most - least)) if most > least else None}
    except (ValueError, OverflowError):  # no value at all, NaN, an infinity; or beyond what a float can hold
        return {}
