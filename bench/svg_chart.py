"""The chart of the report: a bar for each contender of every workload, as an SVG."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape

from bench.contest_goals import BARE_POOL, INFORMED_POOL, SEEDER, SEEDER_IN_PROCESS
from bench.contests import Contest
from bench.measurement_math import Spread
from bench.results import Results

_WIDTH, _LABELS, _RIGHT = 880, 250, 228
_ROOM, _COLUMNS = _WIDTH - _LABELS - _RIGHT, (728, 790, 856)
_BAR, _STEP, _HEAD, _GAP = 16, 24, 46, 22
_INK, _SOFT, _RULE, _PAPER = "#1f2933", "#6b7785", "#dde3e9", "#ffffff"
_SEEDER_COLOUR, _POOL, _OTHER, _STALE = "#0f766e", "#94a3b8", "#c8d1db", "#e7b4a8"
_FONT = "font-family='Inter, Segoe UI, Helvetica, Arial, sans-serif'"


def svg_chart(results: Results) -> str:
    """Draw a chart. Each workload has its own scale; longer bars are cut and marked."""
    parts: list[str] = []
    top = 74
    for contest in results.contests:
        height = _HEAD + _STEP * len(_spreads(contest))
        parts.extend(_panel(contest, top))
        top += height + _GAP
    height = top + 8
    title = "Time to refresh everything"
    legend = "median of the rounds; thin lines span the fastest and the slowest, dots mark the pool that is ×1.00"
    return "\n".join(
        (
            f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {_WIDTH} {height}' {_FONT}>",
            f"<title>{title}</title>",
            f"<rect width='{_WIDTH}' height='{height}' rx='8' fill='{_PAPER}'/>",
            _text(24, 34, title, size=19, weight=600),
            _text(24, 55, legend, size=12.5, fill=_SOFT),
            *_legend(_WIDTH - 24, 30),
            *parts,
            "</svg>",
            "",
        )
    )


@dataclass(frozen=True, kw_only=True)
class Scale:
    """The scale of one panel: its width is the slowest contender, unless the others would look alike."""

    widest: float
    reference: float | None  # seconds of the contender whose ratio is 1.00

    @classmethod
    def for_spreads(cls, spreads: Mapping[str, Spread]) -> "Scale":
        pool = spreads.get(INFORMED_POOL) or spreads.get(BARE_POOL)
        slowest = max(spread.median for spread in spreads.values())
        widest = min(slowest, 4.0 * pool.median) if pool else slowest
        return cls(widest=widest * 1.02, reference=pool.median if pool else None)

    def length(self, seconds: float) -> float:
        return _ROOM * min(seconds, self.widest) / self.widest

    def ratio_text(self, seconds: float) -> str:
        return f"×{seconds / self.reference:.2f}" if self.reference else ""


def _panel(contest: Contest, top: float) -> Iterator[str]:
    spreads = _spreads(contest)
    scale = Scale.for_spreads(spreads)
    bars = top + _HEAD
    yield f"<line x1='24' x2='{_WIDTH - 24}' y1='{top}' y2='{top}' stroke='{_RULE}'/>"
    yield _text(24, top + 26, contest.workload.title, size=14.5, weight=600)
    for position, (name, spread) in enumerate(sorted(spreads.items(), key=lambda item: item[1].median)):
        stale = max((measurement.stale_views or 0 for measurement in contest.measurements[name]), default=0)
        yield from _bar(name, spread, bars + _STEP * position, scale, stale=stale)
    if scale.reference:
        x, end = _LABELS + scale.length(scale.reference), bars + _STEP * len(spreads) - 4
        yield f"<line x1='{x:.1f}' x2='{x:.1f}' y1='{bars - 8}' y2='{end}' stroke='{_INK}' stroke-dasharray='2 3'/>"


def _bar(name: str, spread: Spread, y: float, scale: Scale, *, stale: int) -> Iterator[str]:
    length = scale.length(spread.median)
    is_seeder, is_bare = name == SEEDER, name.startswith((BARE_POOL, INFORMED_POOL))
    colour = _SEEDER_COLOUR if is_seeder else _STALE if stale else _POOL if is_bare else _OTHER
    weight, fill = (600, _INK) if is_seeder else (400, _SOFT)
    middle = y + _BAR / 2
    yield _text(_LABELS - 10, middle + 4.5, name, size=13, weight=weight, anchor="end")
    yield f"<rect x='{_LABELS}' y='{y}' width='{length:.1f}' height='{_BAR}' rx='3' fill='{colour}'/>"
    if spread.median > scale.widest:
        x = _LABELS + _ROOM - 26
        yield f"<path d='M{x} {y + _BAR + 2} l7 -{_BAR + 4} h7 l-7 {_BAR + 4} z' fill='{_PAPER}'/>"
    else:
        fastest, slowest = (_LABELS + scale.length(value) for value in (spread.minimum, spread.maximum))
        yield (
            f"<line x1='{fastest:.1f}' x2='{slowest:.1f}' y1='{middle}' y2='{middle}' stroke='{_INK}'"
            " stroke-width='1.5'/>"
        )
    columns = (f"{spread.median:.2f} s", scale.ratio_text(spread.median), f"{stale} stale" if stale else "")
    for x, text in zip(_COLUMNS, columns, strict=True):
        yield _text(x, middle + 4.5, text, size=12.5, weight=weight, fill=fill, anchor="end")


def _spreads(contest: Contest) -> dict[str, Spread]:
    return {
        name: Spread.from_values(measurement.seconds for measurement in measurements)
        for name, measurements in contest.measurements.items()
        if name != SEEDER_IN_PROCESS and measurements
    }


def _legend(right: float, y: float) -> Iterator[str]:
    x = right
    for colour, label, width in (
        (_STALE, "leaves stale views", 126),
        (_OTHER, "others", 74),
        (_POOL, "bare statements", 128),
        (_SEEDER_COLOUR, "reporting-seeder", 58),
    ):
        x -= width
        yield f"<rect x='{x}' y='{y - 9}' width='11' height='11' rx='2.5' fill='{colour}'/>"
        yield _text(x + 17, y + 1, label, size=12, fill=_SOFT)


def _text(x: float, y: float, text: str, *, size: float, weight: int = 400, **others: str) -> str:
    fill, anchor = others.get("fill", _INK), others.get("anchor", "start")
    style = f"font-size='{size}' font-weight='{weight}' fill='{fill}' text-anchor='{anchor}'"
    return f"<text x='{x:.1f}' y='{y:.1f}' {style}>{escape(text)}</text>"
