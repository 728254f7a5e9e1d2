"""Tables in Markdown, and texts for their cells."""

from collections.abc import Iterable, Iterator

from bench.measurement_math import Spread


def spread_text(spread: Spread, unit: str) -> str:
    return f"{spread.median:.2f} {unit} ({spread.minimum:.2f}–{spread.maximum:.2f})"


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"| {' | '.join('---' for _ in head)} |"
    for row in rows:
        yield f"| {' | '.join(row)} |"
    yield ""
