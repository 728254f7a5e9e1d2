"""Finds records with characters that the encoding of the database lacks."""

from collections.abc import Mapping, Sequence

from django.db import Error

from data_pipeline.domain.csv_records import SplitRecords
from data_pipeline.domain.rejects import Problem
from data_pipeline.postgres.row_errors import diagnostics
from seeder.postgres import sessions, transactions
from seeder.postgres.sqlstates import sqlstate

UNTRANSLATABLE_CHARACTER = "22P05"
_WITHOUT_CONVERSION = {"UTF8", "SQL_ASCII"}


def find_untranslatable(database: str, split: SplitRecords) -> Mapping[int, Problem]:
    """Return the problems of records that PostgreSQL cannot convert.

    They are by record number.
    """
    encoding = sessions.driver_connection(database).info.parameter_status("server_encoding")
    if encoding in _WITHOUT_CONVERSION:
        return {}
    places = [at for at, record in enumerate(split.records) if not record.isascii()]
    return _find(database, split, places)


def _find(database: str, split: SplitRecords, places: Sequence[int]) -> dict[int, Problem]:
    """Try all records at once, and halves of those that are refused."""
    if not places:
        return {}
    text = "\n".join(split.records[at].decode() for at in places)
    outcome = transactions.attempt(
        database, lambda: sessions.query(database, "SELECT length(%(text)s)", {"text": text})
    )
    if not isinstance(outcome, Error):
        return {}
    if sqlstate(outcome) != UNTRANSLATABLE_CHARACTER:
        raise outcome
    if len(places) == 1:
        reason = diagnostics(outcome).message_primary or ""
        return {split.numbers[places[0]]: Problem(column=None, sqlstate=UNTRANSLATABLE_CHARACTER, reason=reason)}
    middle = len(places) // 2
    return _find(database, split, places[:middle]) | _find(database, split, places[middle:])
