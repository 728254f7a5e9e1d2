"""An entry of the catalogue: a file, the table that it is loaded into, and its one expected result."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.acceptance.data_pipeline.file_loads import Bad, States

HEADER = b"id,name\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A file and its result: either the rows of the table and all rejects, or the reason why it is refused."""

    name: str
    content: bytes | Callable[[Path], object]  # or a function that writes the file
    file_name: str = "orders.csv"
    columns: str = "id integer, name text"  # of the table
    types: str = ""  # SQL, before the table is created
    setup: str = ""  # SQL, before the load
    teardown: str = ""  # SQL, after the load
    dialect: str | None = None  # TOML
    environment: Mapping[str, str] = field(default_factory=dict)
    select: str = "*"
    rows: Sequence[tuple[Any, ...]] = ()  # of the table, ordered
    bad: Sequence[Bad] = ()
    accepted_since_16: Sequence[tuple[Any, ...]] | None = None  # rows; PostgreSQL 16 and later then reject nothing
    refused: str | None = None  # pattern of the message; nothing is loaded
    is_slow: bool = False


def names(name: str, body: bytes, *rows: tuple[Any, ...], bad: Sequence[Bad] = (), **options: Any) -> File:
    """Return a file of the columns `id` and `name`."""
    return File(name=name, content=HEADER + body, rows=rows, bad=bad, **options)


def refused(name: str, content: bytes | Callable[[Path], object], reason: str, **options: Any) -> File:
    """Return a file that is refused as a whole."""
    return File(name=name, content=content, refused=reason, **options)


def value(name: str, text: str, expected: str | None, *, of: str, bad: States | None = None, **options: Any) -> File:
    """Return a file of one value. It is stored as `expected`, or rejected with the SQLSTATEs `bad`."""
    return File(
        name=name,
        content=f'value;n\n"{text}";1\n'.encode(),
        columns=f"value {of}, n integer",
        select="value::text",
        rows=[] if bad else [(expected,)],
        bad=[Bad(2, 1, f'"{text}";1'.encode(), bad)] if bad else [],
        **options,
    )
