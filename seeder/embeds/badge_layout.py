"""Texts and sizes of a badge."""

from dataclasses import dataclass

from seeder.domain.freshness.agency_freshness import AgencyFreshness, ReaderState
from seeder.domain.monitoring.state_words import state_word
from seeder.services.translation import translated
from seeder.texts import Text

# Widths in Verdana at 11 pixels, rounded up. Other fonts are stretched to the width of the text.
_NARROW, _WIDE = frozenset("fijltrI.,:;'|!()[] "), frozenset("mwMW@%")
_NARROW_WIDTH, _WIDTH, _WIDE_WIDTH = 4.5, 7.0, 10.5
_PADDING = 6
_COLOURS = {
    ReaderState.ON_TIME: "#1a7431",
    ReaderState.LATE: "#b3261e",
    ReaderState.UNKNOWN: "#5f6368",
    ReaderState.NO_DATA: "#5f6368",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class _Part:
    text: str
    x: int
    width: int  # of the rectangle

    @property
    def text_x(self) -> int:
        return self.x + _PADDING

    @property
    def text_width(self) -> int:
        return self.width - 2 * _PADDING


@dataclass(frozen=True, kw_only=True, slots=True)
class BadgeLayout:
    """A label and a value beside it."""

    label: _Part
    value: _Part
    colour: str

    @property
    def width(self) -> int:
        return self.label.width + self.value.width


def badge_layout(freshness: AgencyFreshness | None) -> BadgeLayout:
    """Lay out a badge. None: the link is not valid."""
    if freshness is None:
        return _layout(Text("data"), Text("invalid link"), _COLOURS[ReaderState.UNKNOWN])
    colour = _COLOURS[freshness.state]
    if freshness.data_as_of is not None:
        label = Text("data as of {time}", time=freshness.as_of_text)
        return _layout(label, state_word(freshness.state), colour)
    match freshness.state:
        case ReaderState.UNKNOWN:
            return _layout(Text("data as of"), Text("unknown"), colour)
        case ReaderState.NO_DATA:
            return _layout(Text("data"), Text("none yet"), colour)
        case state:
            return _layout(Text("data"), state_word(state), colour)


def _layout(label: str, value: str, colour: str) -> BadgeLayout:
    label, value = translated(label), translated(value)
    first = _Part(text=label, x=0, width=_width(label))
    return BadgeLayout(label=first, value=_Part(text=value, x=first.width, width=_width(value)), colour=colour)


def _width(text: str) -> int:
    widths = (_NARROW_WIDTH if one in _NARROW else _WIDE_WIDTH if one in _WIDE else _WIDTH for one in text)
    return round(sum(widths)) + 2 * _PADDING
