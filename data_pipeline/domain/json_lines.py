"""Records as lines of JSON (NDJSON)."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, NoReturn

from data_pipeline.domain.refused_records import RecordRefused
from data_pipeline.domain.rejects import Problem
from seeder.texts import Text

MAX_RECORD_BYTES = 8 << 20
INVALID_JSON, UNDEFINED_COLUMN = "22032", "42703"
_PIECE_BYTES = 1 << 20


def read_lines(read: Callable[[int], bytes]) -> Iterator[bytes]:
    """Yield the lines that are not blank. A longer one than `MAX_RECORD_BYTES` is cut behind it."""
    rest = bytearray()
    while piece := read(_PIECE_BYTES):
        *lines, last = piece.split(b"\n")
        for line in lines:
            rest += line[: MAX_RECORD_BYTES + 1 - len(rest)]
            if not rest.isspace() and rest:
                yield bytes(rest)
            rest.clear()
        rest += last[: MAX_RECORD_BYTES + 1 - len(rest)]
    if rest and not rest.isspace():
        yield bytes(rest)


def parse_record(line: bytes) -> Mapping[str, Any]:
    """Return the record of a line. Numbers keep all of their digits. Raises `RecordRefused`."""
    if len(line) > MAX_RECORD_BYTES:
        _refuse(Text("it is longer than {limit_mb} MB", limit_mb=MAX_RECORD_BYTES >> 20))
    try:
        record = json.loads(
            line, parse_float=Decimal, parse_constant=_refuse_constant, object_pairs_hook=_without_duplicates
        )
    except RecursionError:
        _refuse(Text("it is nested too deeply"))
    except UnicodeDecodeError as error:
        _refuse(Text("byte {position} is not UTF-8", position=error.start + 1))
    except json.JSONDecodeError as error:
        _refuse(Text("it is not JSON: {problem} at character {position}", problem=error.msg, position=error.pos + 1))
    except ValueError:  # a number with thousands of digits
        _refuse(Text("it has a number that is too long"))
    if not isinstance(record, dict):
        _refuse(Text("it is not an object with the names of columns"))
    return record


def require_columns(record: Mapping[str, Any], known: Sequence[str] | frozenset[str]) -> None:
    """Raise `RecordRefused` for names that are no columns of the table."""
    if unknown := [name for name in record if name not in known]:
        raise RecordRefused(
            [
                Problem(column=name, sqlstate=UNDEFINED_COLUMN, reason=Text("the table has no such column"))
                for name in unknown
            ]
        )


def _refuse(reason: str) -> NoReturn:
    raise RecordRefused([Problem(column=None, sqlstate=INVALID_JSON, reason=reason)])


def _refuse_constant(text: str) -> NoReturn:
    _refuse(Text("{text} is not a value of JSON", text=text))


def _without_duplicates(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    record = dict(pairs)
    if len(record) < len(pairs):
        names = [name for name, _ in pairs]
        _refuse(Text("it has {name!r} twice", name=next(name for name in names if names.count(name) > 1)))
    return record
