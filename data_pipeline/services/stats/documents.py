"""JSON documents of statistics and scores."""

from collections.abc import Mapping
from typing import Any

from data_pipeline.domain.stats_periods import Period
from data_pipeline.services.stats.reading import Score, Statistic
from data_pipeline.services.stats.snapshot_reading import ReadRows
from seeder.domain.as_of import RelationAsOf
from seeder.services.documents.document_fields import fields

Document = Mapping[str, Any]


def statistic_document(name: str, statistic: Statistic, *, following: str | None, previous: str | None) -> Document:
    """Return a page of a statistic. The URLs are those of the pages around it."""
    read = statistic.read
    return {
        "name": name,
        **_origin(read),
        "period": _period_document(read.query.date_column, read.query.period),
        "next": following,
        "previous": previous,
        "results": _row_documents(read),
    }


def score_document(score: Score) -> Document:
    """Return the rows of ids, and the ids without a row."""
    return {
        **_origin(score.read),
        "idColumn": score.id_column,
        "results": _row_documents(score.read),
        "notFound": list(score.not_found),
    }


def _origin(read: ReadRows) -> Document:
    return {
        "view": str(read.relation.view),
        "asOf": as_of_document(read.as_of),
        "columns": [fields(one, "name", "type") for one in read.columns],
    }


def as_of_document(as_of: RelationAsOf) -> Document:
    tables = [fields(one, "table", "load_id", "loaded_at", "newer_loads", "by_times") for one in as_of.tables]
    return {**fields(as_of, "refreshed_at", "stale"), "tables": tables}


def _period_document(column: str | None, period: Period | None) -> Document | None:
    if column is None or period is None:
        return None
    days = {
        "requestedFrom": period.requested_from,
        "requestedTo": period.requested_to,
        "from": period.first,
        "to": period.last,
    }
    texts = {name: None if day is None else day.isoformat() for name, day in days.items()}
    return {"column": column, **texts, "clamped": period.is_clamped}


def _row_documents(read: ReadRows) -> list[Document]:
    names = [one.name for one in read.columns]
    return [dict(zip(names, row, strict=True)) for row in read.rows]
