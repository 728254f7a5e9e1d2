"""Files of orders: clean, or with one bad record in a hundred of eight kinds. The same seed writes the same bytes."""

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random

TABLE = "public.orders"
COLUMNS: Mapping[str, str] = {
    "order_id": "bigint NOT NULL",
    "sku": "text NOT NULL",
    "customer": "text",
    "email": "text",
    "quantity": "integer NOT NULL",
    "unit_price": "numeric(12,2) NOT NULL",
    "currency": "text",
    "ordered_on": "date NOT NULL",
    "shipped_at": "timestamptz",
    "is_gift": "boolean",
    "note": "text",
}
CREATE_TABLE = (
    f"DROP TABLE IF EXISTS {TABLE}; CREATE TABLE {TABLE}"
    f" ({', '.join(f'{name} {kind}' for name, kind in COLUMNS.items())}, PRIMARY KEY (order_id))"
)
_WORDS = ("fresh", "local", "parcel", "return", "damaged", "blue", "small", "large", "express", "pickup", "pallet")
_BAD_SHARE, _ODD_SHARE = 0.01, 0.025  # records that are bad; good ones with quotes, line ends or letters beyond ASCII


def write_orders(path: Path, records: int, *, with_bad_records: bool = False) -> Mapping[int, str]:
    """Write a file. Return the bad lines with their kind."""
    path.parent.mkdir(parents=True, exist_ok=True)
    values, faults = Random(1), Random(2)  # noqa: S311  # no secrets
    bad: dict[int, str] = {}
    line = 2
    with path.open("wb") as file:
        file.write(f"{','.join(COLUMNS)}\n".encode())
        for number in range(1, records + 1):
            fields, encoding = _order(values, number), "utf-8"
            if with_bad_records:
                share = faults.random()
                if share < _BAD_SHARE:
                    kind = faults.choice(list(_DAMAGES))
                    bad[line] = kind
                    encoding = "latin-1" if kind == "not UTF-8" else "utf-8"
                    fields = _DAMAGES[kind](fields)
                elif share < _BAD_SHARE + _ODD_SHARE:
                    fields[10] = faults.choice(("first line\nsecond, line", 'said "hello", twice', "Zażółć gęślą"))
            record = _csv_record(fields).encode(encoding)
            file.write(record)
            line += record.count(b"\n")
    return bad


def _order(values: Random, number: int) -> list[str]:
    shipped_at = datetime(2024, 1, 1, tzinfo=UTC) + timedelta(seconds=values.randrange(86_400 * 1000))
    return [
        str(number),
        f"SKU-{values.randrange(100_000):06d}",
        f"Customer {values.randrange(200_000)}",
        f"c{values.randrange(200_000)}@example.org",
        str(values.randrange(1, 200)),
        f"{values.randrange(100, 10_000_000) / 100:.2f}",
        values.choice(("EUR", "USD", "GBP", "PLN")),
        (date(2024, 1, 1) + timedelta(days=values.randrange(1000))).isoformat(),
        f"{shipped_at:%Y-%m-%dT%H:%M:%SZ}",
        values.choice(("true", "false")),
        " ".join(values.choices(_WORDS, k=values.randrange(1, 5))),
    ]


def _replace(position: int, text: str) -> "Damage":
    return lambda fields: [*fields[:position], text, *fields[position + 1 :]]


Damage = Callable[[Sequence[str]], list[str]]
_DAMAGES: Mapping[str, Damage] = {
    "letters in an integer": _replace(4, "twelve"),
    "a letter in a price": _replace(5, "1O.50"),
    "no such day": _replace(7, "2026-02-30"),
    "out of range": _replace(4, "99999999999"),
    "no key": _replace(0, ""),
    "too few fields": lambda fields: [*fields[:-2]],
    "too many fields": lambda fields: [*fields, "surplus"],
    "not UTF-8": _replace(2, "José Müller"),
}


def _csv_record(fields: Sequence[str]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(fields)
    return text.getvalue()
