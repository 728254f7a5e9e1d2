"""Normalizes the records of a file by its dialect.

They are written as silver has them.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache, partial

from data_pipeline.domain.canonical_records import CanonicalRecords, CopiedRecords
from data_pipeline.domain.csv_fields import CsvFormat, parse_fields
from data_pipeline.domain.dialects import Column
from data_pipeline.domain.enrichments import Enrichment
from data_pipeline.domain.masking import mask_value
from data_pipeline.domain.normalize_problems import refused_value
from data_pipeline.domain.normalizing import NormalizeError, normalize_text
from data_pipeline.domain.rejects import Problem

_REMEMBERED = 2048  # values of a column; dates, amounts and words recur
_QUOTED = frozenset(',"\r\n')


class RecordNormalizer:
    """The rules of the columns of one file."""

    def __init__(
        self,
        columns: Sequence[Column],
        null_words: Sequence[str],
        csv_format: CsvFormat,
        *,
        hash_key: bytes = b"",
        enrichments: Sequence[Enrichment] = (),
    ) -> None:
        """Take the column of each field. `hash_key` is needed if a column is stored as a keyed hash."""
        self._canonical = CanonicalRecords(columns, null_words, csv_format)
        self._enrichments = enrichments
        self._columns, self._format = columns, csv_format
        self._rules: Sequence[Callable[[str], str | None]] = [
            lru_cache(maxsize=_REMEMBERED)(partial(_stored, column=one, null_words=null_words, hash_key=hash_key))
            for one in columns
        ]

    def copy(self, data: bytes) -> CopiedRecords | None:
        """Return whole records as silver has them, or None.

        None means that one of them may have to be changed.
        """
        return None if self._enrichments else self._canonical.copy(data)

    def normalize(self, record: bytes) -> bytes | Sequence[Problem]:
        """Return a record as silver has it, or its refused values."""
        copied = self.copy(record + b"\n")
        if copied is not None:
            return copied.data
        problems = list[Problem]()
        texts = list[str | None]()
        values = parse_fields(record, self._format)
        for column, rule, value in zip(self._columns, self._rules, values, strict=True):
            try:
                texts.append(None if value is None else rule(value))
            except NormalizeError as error:
                texts.append(None)
                problems.append(refused_value(column, error.reason, value=value))
        for enrichment in self._enrichments:
            if (problem := enrichment.add_to(texts, values)) is not None:
                problems.append(problem)
        return problems or (",".join(map(_field, texts)) + "\n").encode()


def written_header(names: Sequence[str]) -> bytes:
    """Return the header of silver."""
    return (",".join(map(_field, names)) + "\n").encode()


def _stored(text: str, *, column: Column, null_words: Sequence[str], hash_key: bytes) -> str | None:
    """Return the canonical text of a value that is not NULL. Raises `NormalizeError`."""
    canonical = normalize_text(text, column, null_words=null_words)
    if canonical is None or column.pii is None:
        return canonical
    return mask_value(canonical, column.pii, hash_key=hash_key)


def _field(text: str | None) -> str:
    """Return a field. NULL is empty without quotes, and an empty text is in quotes."""
    if text is None:
        return ""
    return '"' + text.replace('"', '""') + '"' if not text or _QUOTED.intersection(text) else text
