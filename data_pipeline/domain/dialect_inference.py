"""Infers the columns of a file from its records."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from data_pipeline.domain.case_folding import trim
from data_pipeline.domain.dialect_values import MAX_NAME_BYTES
from data_pipeline.domain.dialect_writer import dialect_to_toml
from data_pipeline.domain.dialects import Column, Dialect, Rule
from data_pipeline.domain.inferred_types import InferredType, TypeEvidence
from data_pipeline.errors import HeaderRefused
from seeder.domain.human_format import format_count
from seeder.texts import Text

_NOT_IN_NAMES = re.compile(r"\W+")


@dataclass(frozen=True, kw_only=True, slots=True)
class InferredColumn:
    """A column, as far as the given records show it."""

    heading: str  # in the file
    name: str  # proposed for the table
    type: InferredType
    is_nullable: bool
    date_format: str | None  # of local dates
    ambiguous_formats: Sequence[str]  # why local dates stay text

    def as_column(self) -> Column:
        """Return the column of a dialect."""
        return Column(
            name=self.name,
            type=self.type.value,
            aliases=() if self.heading == self.name else (self.heading,),
            required=not self.is_nullable,
            rule=Rule.DATE if self.date_format else None,
            formats=(self.date_format,) if self.date_format else (),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Inference:
    """The inferred columns, and on how many records they rest."""

    columns: Sequence[InferredColumn]
    records: int  # read
    malformed: int  # of those, with more or fewer fields than the header, and therefore ignored

    def to_toml(self, dialect: Dialect) -> str:
        """Return a dialect with the inferred columns.

        Its other settings are those of the given one.
        """
        notes = [
            f"Inferred from {format_count(self.records, 'record')}, {self.malformed} of them malformed and ignored."
        ]
        notes += [
            f"{column.name}: local dates that fit {' and '.join(column.ambiguous_formats)}; declare one of them."
            for column in self.columns
            if column.ambiguous_formats
        ]
        columns = tuple(column.as_column() for column in self.columns)
        return dialect_to_toml(replace(dialect, columns=columns), notes=notes)


def infer_columns(
    header: Sequence[str], records: Iterable[Sequence[str]], *, artefact: str = Text.in_context("header", "the file")
) -> Inference:
    """Infer columns from all given records. Give all of a file, because its last record may need a wider type.

    An empty field is NULL. Raises `HeaderRefused` if two headings have the same name.
    """
    names = column_names(header, artefact=artefact)
    evidence = [TypeEvidence() for _ in header]
    count = malformed = 0
    for record in records:
        count += 1
        if len(record) != len(evidence):
            malformed += 1
            continue
        for column, text in zip(evidence, record, strict=True):
            column.add(text)
    columns = [
        InferredColumn(
            heading=heading,
            name=name,
            type=column.type,
            is_nullable=column.has_nulls or count == malformed,
            date_format=column.date_format,
            ambiguous_formats=column.ambiguous_formats,
        )
        for heading, name, column in zip(header, names, evidence, strict=True)
    ]
    return Inference(columns=columns, records=count, malformed=malformed)


def column_names(header: Sequence[str], *, artefact: str) -> list[str]:
    """Return a safe name for each heading. Raises `HeaderRefused` if two have the same name."""
    names = [safe_name(heading) or f"column_{at}" for at, heading in enumerate(header, start=1)]
    duplicates = sorted({name for name in names if names.count(name) > 1})
    if duplicates:
        given = Text.joined((Text("several columns would be named {name!r}", name=name) for name in duplicates), "; ")
        raise HeaderRefused(artefact=artefact, table=Text.in_context("header", "a new table"), problem=given)
    return names


def safe_name(heading: str) -> str:
    """Return a heading in lower case, with underscores for other characters.

    Only letters and digits are kept.
    """
    name = _NOT_IN_NAMES.sub("_", trim(heading).lower()).strip("_")
    return name.encode()[:MAX_NAME_BYTES].decode(errors="ignore")
