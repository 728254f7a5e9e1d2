"""Figures without a unit, in the format of the reader's language."""

from seeder.texts import Text

# Not literals of a call, because there is nothing to translate.
_COUNT, _DECIMAL = "{number:,}", "{number:.1f}"


def count_figure(number: int) -> Text:
    """Return a count such as `2,075`."""
    return Text(_COUNT, number=number)


def decimal_figure(number: float) -> Text:
    """Return a number such as `1.5`."""
    return Text(_DECIMAL, number=number)
