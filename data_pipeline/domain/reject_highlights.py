"""Rejected records in parts, with the bad cells highlighted."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from data_pipeline.domain.csv_fields import CsvFormat, fields_of
from data_pipeline.domain.masking import masked_bytes
from data_pipeline.domain.rejects import Problem

_MAX_SHOWN = 400  # characters of a part in a list


@dataclass(frozen=True, kw_only=True, slots=True)
class Segment:
    """A part of a record's text."""

    text: str
    is_bad: bool = False


def shortened(segments: Sequence[Segment]) -> Sequence[Segment]:
    """Return a record for a list, without the middle of long parts."""
    return [replace(one, text=_shortened(one.text)) for one in segments]


def _shortened(text: str) -> str:
    if len(text) <= _MAX_SHOWN:
        return text
    half = _MAX_SHOWN // 2
    return f"{text[:half]} … {text[-half:]}"


@dataclass(frozen=True, kw_only=True, slots=True)
class RejectText:
    """How a rejected record is written.

    It also says whether its values may be shown.
    """

    columns: Sequence[str]  # of the header; empty if unknown
    csv_format: CsvFormat
    shows_values: bool

    def segments(self, raw: bytes, problems: Sequence[Problem]) -> Sequence[Segment]:
        """Return the record in parts. A record that cannot be split into fields is one part."""
        matches = fields_of(raw, self.csv_format)
        if matches is None:
            return [Segment(text=self._visible(raw), is_bad=True)]
        values = [self._value(match) for match in matches]
        bad = {position for problem in problems for position in self._positions(problem, values)}
        if any(problem.column is None for problem in problems):
            bad |= {position for position, match in enumerate(matches) if not _is_text(match[0])}
        parts = list[Segment]()
        for position, match in enumerate(matches):
            parts.append(Segment(text=self._visible(match[0].removesuffix(match[3])), is_bad=position in bad))
            if match[3]:
                parts.append(Segment(text=self._visible(match[3])))
        return list(_joined(parts))

    def value(self, problem: Problem) -> str | None:
        """Return the value of a problem, or its shape."""
        if problem.value is None or self.shows_values:
            return None if problem.value is None else _printable(problem.value)
        return self._visible(problem.value.encode("utf-8", "surrogateescape"))

    def _positions(self, problem: Problem, values: Sequence[str]) -> Sequence[int]:
        """Return the fields of a problem.

        They are those of its column, otherwise those with its value, otherwise the surplus ones.
        """
        if problem.column is None:
            return range(len(self.columns), len(values)) if self.columns else ()
        name = problem.column.casefold()
        named = [at for at, column in enumerate(self.columns) if column.strip().casefold() == name and at < len(values)]
        return named or [at for at, value in enumerate(values) if value == problem.value]

    def _value(self, match: re.Match[bytes]) -> str:
        quote = self.csv_format.quote
        text: bytes = match[2] if match[1] is None else match[1].replace(quote * 2, quote)
        return text.decode("utf-8", "backslashreplace")

    def _visible(self, raw: bytes) -> str:
        """Return bytes as text: what is not UTF-8 or not printable is escaped. Letters and digits may be hidden."""
        if not self.shows_values:
            raw = masked_bytes(raw)
        return _printable(raw.decode("utf-8", "backslashreplace"))


def _is_text(raw: bytes) -> bool:
    """Return whether PostgreSQL can store the bytes as text."""
    try:
        return "\0" not in raw.decode()
    except UnicodeDecodeError:
        return False


def _printable(text: str) -> str:
    """Escape unprintable characters, except for line feeds and tabs."""
    return "".join(one if one.isprintable() or one in "\n\t" else repr(one)[1:-1] for one in text)


def _joined(parts: Sequence[Segment]) -> Iterator[Segment]:
    """Join neighbours that are not bad."""
    text = ""
    for part in parts:
        if part.is_bad:
            if text:
                yield Segment(text=text)
            yield part
            text = ""
        else:
            text += part.text
    if text:
        yield Segment(text=text)
