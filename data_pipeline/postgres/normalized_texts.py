"""Normalizes the texts of records, and explains the refused values.

Every record goes this way if the dialect has rules, personal columns, words for NULL, or lookups.
"""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial

from psycopg import sql

from data_pipeline.domain.csv_fields import CsvFormat, parse_fields
from data_pipeline.domain.csv_records import SplitRecords
from data_pipeline.domain.dialects import Column
from data_pipeline.domain.masking import hash_pads
from data_pipeline.domain.normalize_problems import refused_value
from data_pipeline.domain.normalizing import NormalizeReason
from data_pipeline.domain.rejects import Problem
from data_pipeline.errors import NormalizingNeedsUtf8
from data_pipeline.postgres import staging_tables
from data_pipeline.postgres.lookup_columns import LookupColumn
from data_pipeline.postgres.masking_sql import masked_text
from data_pipeline.postgres.normalizing_sql import can_be_refused, canonical_text, refusal_reason
from data_pipeline.postgres.row_sets import RECORD_NO
from data_pipeline.postgres.sql_literals import text_literal
from data_pipeline.postgres.staging_tables import FILE_TEXTS, TEXTS, FileColumn
from seeder.postgres import sessions

_PADS = (sql.SQL("%(inner)s::bytea"), sql.SQL("%(outer)s::bytea"))


@dataclass(frozen=True, kw_only=True, slots=True)
class RescuedColumn:
    """A column of the file that the table does not have."""

    position: int  # in the file, from 0
    heading: str
    declared: Column | None  # in the dialect

    @property
    def text(self) -> sql.Identifier:
        return sql.Identifier(f"c{self.position}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Normalizing:
    """What a dialect changes, besides the rules of its columns."""

    null_words: Sequence[str]
    is_of_columns: bool  # a column has a rule, or is personal
    rescued: Sequence[RescuedColumn] = ()  # kept together in the column behind those of the file
    lookups: Sequence[LookupColumn] = ()
    hash_key: bytes = field(repr=False)

    def may_change(self, data: bytes, csv_format: CsvFormat) -> bool:
        """Return whether a value in these bytes may be changed. False positives only cost time."""
        if self.is_of_columns or self.rescued or self.lookups:
            return True
        words = [word.encode() for word in self.null_words]
        return any(word in data or csv_format.quote in word for word in words)


def require_utf8(database: str) -> None:
    """Raise `NormalizingNeedsUtf8` for a database in another encoding.

    Its letters have other bytes.
    """
    encoding = sessions.driver_connection(database).info.parameter_status("server_encoding")
    if encoding != "UTF8":
        raise NormalizingNeedsUtf8(alias=database, encoding=encoding)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Judged:
    """A text that is missing if a value is refused."""

    column: FileColumn
    reason: sql.Composed  # of the refusal of a record, or NULL
    problem: Callable[[NormalizeReason], Problem]


class NormalizedTexts:
    """The texts of the records of one load. Counts them, and the refused values by their reason."""

    def __init__(
        self,
        database: str,
        columns: Sequence[FileColumn],
        normalizing: Normalizing,
        *,
        csv_format: CsvFormat,
        file_columns: int,
    ) -> None:
        self._database, self._columns, self._normalizing = database, columns, normalizing
        self._csv_format, self._file_columns = csv_format, file_columns
        self._judged = [*self._judged_columns(), *self._judged_lookups()]
        self.records, self.errors, self.references = 0, Counter[str](), dict[str, str]()

    def create(self) -> None:
        """Create the tables of texts, normalized texts and references.

        `TEXTS` also has a column for the reason of each column that can be refused. Raises `BadReference`.
        """
        for one in self._normalizing.lookups:
            self.references[one.lookup.name] = one.create_reference(self._database)
        staging_tables.create_texts(self._database, columns=self._file_columns, relation=FILE_TEXTS)
        others = [one.column.refusal for one in self._judged]
        others += [one.column.text for one in self._normalizing.lookups]
        if self._normalizing.rescued:
            others.append(self._rescue_text)
        staging_tables.create_texts(self._database, columns=self._file_columns, others=others)

    def fill(self, split: SplitRecords) -> None:
        """Replace the contents of `TEXTS` with normalized records."""
        staging_tables.fill_texts(
            self._database, split, self._csv_format, columns=self._file_columns, relation=FILE_TEXTS
        )
        sessions.query(self._database, sql.SQL("TRUNCATE {}").format(TEXTS))
        sessions.query(self._database, self._insert, self._pads)

    def explain(self, problems: Mapping[int, Sequence[Problem]], split: SplitRecords) -> dict[int, list[Problem]]:
        """Add refused values to PostgreSQL's problems with normalized ones.

        Each problem of a column of the file gets the value of the file.
        """
        refusals = self._find_refusals()
        self.records += len(split.records) - len(refusals)
        explained: dict[int, list[Problem]] = {}
        for number in {*problems, *refusals}:
            values = parse_fields(split.records[bisect_left(split.numbers, number)], self._csv_format)
            of_columns = {one.target.name: values[one.position] for one in self._in_file}
            refused = refusals.get(number, {})
            found = [*(one for one in problems.get(number, ()) if one.column not in refused), *refused.values()]
            explained[number] = [replace(one, value=of_columns.get(one.column or "", one.value)) for one in found]
        return explained

    def _find_refusals(self) -> Mapping[int, Mapping[str, Problem]]:
        """Return the problems of refused values by record number.

        The second key is the name of the column whose text is missing.
        """
        found = defaultdict[int, dict[str, Problem]](dict)
        if not self._judged:
            return found
        refusals = [one.column.refusal for one in self._judged]
        statement = sql.SQL("SELECT {}, {} FROM {} WHERE num_nonnulls({}) > 0").format(
            RECORD_NO, sql.SQL(", ").join(refusals), TEXTS, sql.SQL(", ").join(refusals)
        )
        for number, *words in sessions.query(self._database, statement):
            for judged, word in zip(self._judged, words, strict=True):
                if word is not None:
                    found[number][judged.column.target.name] = judged.problem(NormalizeReason(word))
                    self.errors[word] += 1
        return found

    def _judged_columns(self) -> Sequence[_Judged]:
        words = self._normalizing.null_words
        return [
            _Judged(
                column=one,
                reason=sql.SQL("CASE WHEN {} IS NULL AND {} IS NOT NULL THEN {} END").format(
                    one.canonical, one.text, refusal_reason(one.text, one.declared, null_words=words)
                ),
                problem=partial(refused_value, one.declared, value=None),
            )
            for one in self._columns
            if can_be_refused(one.declared)
        ]

    def _judged_lookups(self) -> Sequence[_Judged]:
        return [
            _Judged(
                column=one.column,
                reason=one.refusal(self._canonical_of(one)),
                problem=one.refused_value,
            )
            for one in self._normalizing.lookups
            if one.can_be_refused
        ]

    def _canonical_of(self, one: LookupColumn) -> sql.Identifier:
        """Return the column with the values that a lookup looks up."""
        return next(column.canonical for column in self._in_file if column.target.name == one.lookup.column)

    @property
    def _in_file(self) -> Sequence[FileColumn]:
        return [one for one in self._columns if one.position < self._file_columns]

    @property
    def _rescue_text(self) -> sql.Identifier:
        return sql.Identifier(f"c{self._file_columns}")

    @property
    def _rescued(self) -> sql.Composed:
        """Return the expression of the rescued values as a JSON object.

        It is NULL if all of them are.
        """
        headings, values = [], []
        for column in self._normalizing.rescued:
            pii = column.declared.pii if column.declared else None
            headings.append(text_literal(column.heading))
            values.append(column.text if pii is None else masked_text(column.text, pii, pads=_PADS))
        return sql.SQL(
            "nullif(jsonb_strip_nulls(jsonb_object(ARRAY[{}]::text[], ARRAY[{}]::text[])), '{{}}')::text"
        ).format(sql.SQL(", ").join(headings), sql.SQL(", ").join(values))

    @property
    def _pads(self) -> Mapping[str, bytes]:
        if not self._normalizing.hash_key:
            return {"inner": b"", "outer": b""}
        inner, outer = hash_pads(self._normalizing.hash_key)
        return {"inner": inner, "outer": outer}

    @cached_property
    def _insert(self) -> sql.Composed:
        """Return the statement that normalizes the file's texts. The subquery evaluates each rule once."""
        names, canonicals, stored = [], [sql.Composed([sql.SQL("*")])], []
        for column in self._in_file:
            names.append(column.text)
            canonicals.append(
                sql.SQL("{} AS {}").format(
                    canonical_text(column.text, column.declared, null_words=self._normalizing.null_words),
                    column.canonical,
                )
            )
            pii = column.declared.pii
            stored.append(column.canonical if pii is None else masked_text(column.canonical, pii, pads=_PADS))
        lookups = self._normalizing.lookups
        names += [*(one.column.text for one in lookups), *(one.column.refusal for one in self._judged)]
        stored += [*(one.text for one in lookups), *(one.reason for one in self._judged)]
        if self._normalizing.rescued:
            names.append(self._rescue_text)
            stored.append(self._rescued)
        return sql.SQL(
            "INSERT INTO {texts} ({number}, {names}) SELECT {number}, {stored}"
            " FROM (SELECT {canonicals} FROM {file_texts} OFFSET 0) AS f {joins}"
        ).format(
            texts=TEXTS,
            number=RECORD_NO,
            names=sql.SQL(", ").join(names),
            stored=sql.SQL(", ").join(stored),
            canonicals=sql.SQL(", ").join(canonicals),
            file_texts=FILE_TEXTS,
            joins=sql.SQL(" ").join(one.join(self._canonical_of(one)) for one in lookups),
        )
