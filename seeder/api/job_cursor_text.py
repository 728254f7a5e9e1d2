"""Cursors of pages of jobs as text for URLs. A cursor belongs to one ordering."""

from collections.abc import Callable, Mapping
from datetime import datetime

from seeder.api.cursor_text import decode_values, encode_values
from seeder.domain.manifests import ReportType
from seeder.domain.monitoring.report_jobs import JobCursor, SortKey
from seeder.domain.plain_numbers import parse_whole_number

_MAX_INTEGER = 2**31 - 1


def encode_job_cursor(cursor: JobCursor, ordering: str) -> str:
    return encode_values(
        ordering,
        cursor.is_backward,
        cursor.sort_value,
        cursor.table_name,
        cursor.report_type,
        cursor.manifest_id,
    )


def decode_job_cursor(text: str, ordering: str) -> JobCursor | None:
    """Return the cursor, or None if the text is invalid or of another ordering."""
    match decode_values(text):
        case [str(of), bool(is_backward), str() | None as value, str(name), str(kind), int(number)] if of == ordering:
            if kind not in {*ReportType} or not 0 < number <= _MAX_INTEGER or not _is_value(value, ordering):
                return None
            return JobCursor(
                sort_value=value,
                table_name=name,
                report_type=ReportType(kind),
                manifest_id=number,
                is_backward=is_backward,
            )
    return None


def _is_value(value: str | None, ordering: str) -> bool:
    """Return whether the database can compare the value with the column of the sort key."""
    check = _CHECKS.get(SortKey(ordering.lstrip("-")))
    return value is None or check is None or check(value)


def _is_integer(text: str) -> bool:
    try:
        return parse_whole_number(text) <= _MAX_INTEGER
    except ValueError:
        return False


def _is_instant(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


_CHECKS: Mapping[SortKey, Callable[[str], bool]] = {
    SortKey.ATTENTION: _is_integer,
    SortKey.START_TIME: _is_instant,
    SortKey.DURATION: _is_integer,
    SortKey.FAILURES: _is_integer,
}
