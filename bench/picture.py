"""The picture of the report: for every workload a bar for each contender, as an SVG of our own."""

from collections.abc import Iterator
from html import escape

from bench.contests import Contest
from bench.figures import Spread
from bench.results import BARE, IN_PROCESS, KNOWING, OURS, Results

_WIDTH, _LABELS, _RIGHT = 880, 250, 190
_BAR, _STEP, _HEAD, _GAP = 16, 24, 46, 22
_INK, _SOFT, _RULE, _PAPER = "#1f2933", "#6b7785", "#dde3e9", "#ffffff"
_OURS, _POOL, _OTHER, _STALE = "#0f766e", "#94a3b8", "#c8d1db", "#e7b4a8"
_FONT = "font-family='Inter, Segoe UI, Helvetica, Arial, sans-serif'"


def picture(results: Results) -> str:
    """Each workload has a scale of its own; what is off it is cut and says so."""
    parts: list[str] = []
    top = 74
    for contest in results.contests:
        height = _HEAD + _STEP * len(_shown(contest))
        parts.extend(_panel(contest, top))
        top += height + _GAP
    height = top + 8
    title = "Time to refresh everything, by contender"
    legend = "median of the rounds; the thin line spans the fastest and the slowest"
    return "\n".join(
        (
            f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {_WIDTH} {height}' width='{_WIDTH}' height='{height}' {_FONT}>",
            f"<title>{title}</title>",
            f"<rect width='{_WIDTH}' height='{height}' rx='8' fill='{_PAPER}'/>",
            _text(24, 34, title, size=19, weight=600),
            _text(24, 55, legend, size=12.5, fill=_SOFT),
            *_keys(_WIDTH - 24, 30),
            *parts,
            "</svg>",
            "",
        )
    )


def _panel(contest: Contest, top: float) -> Iterator[str]:
    shown = _shown(contest)
    reference = KNOWING if KNOWING in contest.took else BARE
    against = shown.get(reference)
    widest = _scale([spread.median for spread in shown.values()], against.median if against else None)
    room = _WIDTH - _LABELS - _RIGHT
    yield f"<line x1='24' x2='{_WIDTH - 24}' y1='{top}' y2='{top}' stroke='{_RULE}'/>"
    yield _text(24, top + 26, contest.workload.title, size=14.5, weight=600)
    bars = top + _HEAD
    if against:
        x = _LABELS + room * against.median / widest
        yield (
            f"<line x1='{x:.1f}' x2='{x:.1f}' y1='{bars - 8}' y2='{bars + _STEP * len(shown) - 4}' stroke='{_SOFT}'"
            " stroke-dasharray='2 3'/>"
        )
    for place, (name, spread) in enumerate(sorted(shown.items(), key=lambda item: item[1].median)):
        y = bars + _STEP * place
        stale = max((took.stale or 0 for took in contest.took[name]), default=0)
        yield from _bar(name, spread, y, room=room, widest=widest, stale=stale, against=against.median if against else None)


def _bar(name: str, spread: Spread, y: float, *, room: float, widest: float, stale: int, against: float | None) -> Iterator[str]:  # noqa: PLR0913  # one bar
    cut = spread.median > widest
    length = room * min(spread.median, widest) / widest
    colour = _OURS if name == OURS else _STALE if stale else _POOL if name.startswith((BARE, KNOWING)) else _OTHER
    weight = 600 if name == OURS else 400
    middle = y + _BAR / 2
    yield _text(_LABELS - 10, middle + 4.5, name, size=13, weight=weight, anchor="end")
    yield f"<rect x='{_LABELS}' y='{y}' width='{length:.1f}' height='{_BAR}' rx='3' fill='{colour}'/>"
    if cut:
        x = _LABELS + room - 26
        yield f"<path d='M{x} {y + _BAR + 2} l7 -{_BAR + 4} h7 l-7 {_BAR + 4} z' fill='{_PAPER}'/>"
    else:
        ends = [_LABELS + room * min(value, widest) / widest for value in (spread.least, spread.most)]
        yield f"<line x1='{ends[0]:.1f}' x2='{ends[1]:.1f}' y1='{middle}' y2='{middle}' stroke='{_INK}' stroke-width='1.5'/>"
        length = max(length, ends[1] - _LABELS)
    said = f"{spread.median:.2f} s" + (f"  ×{spread.median / against:.2f}" if against else "")
    said += f"  {stale} stale" if stale else ""
    yield _text(_LABELS + length + 9, middle + 4.5, said, size=12.5, weight=weight, fill=_INK if name == OURS else _SOFT)


def _shown(contest: Contest) -> dict[str, Spread]:
    return {
        name: Spread.of(one.seconds for one in took) for name, took in contest.took.items() if name != IN_PROCESS and took
    }


def _scale(medians: list[float], against: float | None) -> float:
    """What the whole width means: the slowest, unless it would make all others look alike."""
    return min(max(medians), 4.0 * against if against else max(medians)) * 1.02


def _keys(right: float, y: float) -> Iterator[str]:
    x = right
    for colour, label, width in (
        (_STALE, "leaves stale views", 132),
        (_OTHER, "others", 64),
        (_POOL, "bare statements", 118),
        (_OURS, "ours", 52),
    ):
        x -= width
        yield f"<rect x='{x}' y='{y - 9}' width='11' height='11' rx='2.5' fill='{colour}'/>"
        yield _text(x + 17, y + 1, label, size=12, fill=_SOFT)


def _text(x: float, y: float, text: str, *, size: float, weight: int = 400, fill: str = _INK, anchor: str = "start") -> str:  # noqa: PLR0913  # what a text has
    return f"<text x='{x:.1f}' y='{y:.1f}' font-size='{size}' font-weight='{weight}' fill='{fill}' text-anchor='{anchor}'>{escape(text)}</text>"


