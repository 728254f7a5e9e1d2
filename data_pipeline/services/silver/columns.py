"""The columns of an object of silver."""

from collections.abc import Sequence
from dataclasses import replace

from data_pipeline.domain.case_folding import trim
from data_pipeline.domain.dialects import Column, Dialect, Lookup, Surplus
from data_pipeline.domain.enrichments import Enrichment, find_lookup_problems
from data_pipeline.domain.headers import match_header
from data_pipeline.errors import HeaderRefused
from data_pipeline.services.references import Reference
from seeder.texts import Text


def silver_columns(names: Sequence[str], dialect: Dialect, *, artefact: str) -> Sequence[Column]:
    """Return the column of each name. One that the dialect does not declare keeps its name. Raises `HeaderRefused`."""
    kept = replace(dialect, surplus=Surplus.RESCUE)
    declared = [column.name for column in dialect.columns]
    match = match_header(names, dialect=kept, table_columns=declared, required=(), artefact=artefact)
    return [
        dialect.find_column(target or "") or Column(name=trim(name))
        for name, target in zip(names, match.targets, strict=True)
    ]


def enrich(
    columns: Sequence[Column], lookups: Sequence[Lookup], references: Sequence[Reference], *, artefact: str
) -> Sequence[Enrichment]:
    """Return what adds the columns of the lookups to each record. Raises `HeaderRefused`."""
    names = [column.name for column in columns]
    if problems := find_lookup_problems(lookups, names):
        raise HeaderRefused(
            artefact=artefact, table=Text.in_context("header", "the dialect"), problem=Text.joined(problems, "; ")
        )
    return [
        Enrichment(lookup=lookup, position=names.index(lookup.column), values=reference.values)
        for lookup, reference in zip(lookups, references, strict=True)
    ]
