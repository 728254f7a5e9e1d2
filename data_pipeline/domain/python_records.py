"""Names and values of Python records.

A record is a mapping, a dataclass, a named tuple, or a sequence with given names.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any

from seeder.texts import Text

Values = Callable[[Any], Sequence[Any]]


def shape_of(first: Any, columns: Sequence[str] | None) -> tuple[Sequence[str], Values]:
    """Return the column names, and a function for a record's values.

    The names are the given ones, otherwise those of the first record. The function raises `ValueError` for a record of
    another shape. A key that a mapping lacks is NULL.
    """
    names = list(columns) if columns is not None else _names_of(first)
    known = None if columns is not None else frozenset(names)

    def values(record: Any) -> Sequence[Any]:
        if isinstance(record, Mapping):
            if known is not None and not record.keys() <= known:
                surplus = ", ".join(map(repr, sorted(map(str, record.keys() - known))))
                raise ValueError(Text("it has {surplus}, but the first record has not", surplus=surplus))
            return [record.get(name) for name in names]
        if is_dataclass(record) or hasattr(record, "_fields"):
            return [getattr(record, name) for name in names]
        if isinstance(record, list | tuple):
            return record
        raise ValueError(Text("it is of the type {type}", type=type(record).__name__))

    return names, values


def _names_of(record: Any) -> list[str]:
    if isinstance(record, Mapping):
        return [str(name) for name in record]
    if is_dataclass(record):
        return [field.name for field in fields(record)]
    if hasattr(record, "_fields"):
        return list(record._fields)
    raise ValueError(Text("its columns have no names: pass them as `columns`"))
