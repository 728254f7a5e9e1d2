"""Numbers of views in a state, such as `3 failed`. Languages have their own forms for 1 and for others."""

from collections.abc import Mapping

from seeder.texts import Text

_TEXTS: Mapping[str, Text] = {
    "succeeded": Text.counted_in_context("views", "{number:,} succeeded", "{number:,} succeeded", 0),
    "skipped": Text.counted_in_context("views", "{number:,} skipped", "{number:,} skipped", 0),
    "failed": Text.counted_in_context("views", "{number:,} failed", "{number:,} failed", 0),
    "held": Text.counted_in_context("views", "{number:,} held", "{number:,} held", 0),
    "interrupted": Text.counted_in_context("views", "{number:,} interrupted", "{number:,} interrupted", 0),
    "running": Text.counted_in_context("views", "{number:,} running", "{number:,} running", 0),
    "pending": Text.counted_in_context("views", "{number:,} pending", "{number:,} pending", 0),
    "not selected": Text.counted_in_context("views", "{number:,} not selected", "{number:,} not selected", 0),
    "fresh": Text.counted_in_context("views", "{number:,} fresh", "{number:,} fresh", 0),
    "failing": Text.counted_in_context("views", "{number:,} failing", "{number:,} failing", 0),
    "late": Text.counted_in_context("views", "{number:,} late", "{number:,} late", 0),
}


def count_text(state: str, number: int) -> Text:
    """Return the number of views in a state."""
    return _TEXTS[state].with_number(number)
