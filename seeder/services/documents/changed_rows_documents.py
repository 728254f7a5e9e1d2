"""Documents of the rows that refreshes changed."""

from collections.abc import Iterable

from seeder.domain.row_changes import ChangedRow, RowChanges
from seeder.services.documents.document_fields import Document, fields
from seeder.services.read_models.changed_rows import VisibleSample


def changes_document(changes: RowChanges, *, with_rows: bool) -> Document:
    """Return the numbers of changed rows, with the sampled rows if required."""
    document = fields(changes, "inserted", "deleted", "updated", "note")
    return {**document, "rows": rows_documents(changes.rows)} if with_rows else document


def sample_document(sample: VisibleSample) -> Document:
    """Return a sample as the user may see it."""
    counts = {"inserted": "rows_inserted", "deleted": "rows_deleted", "updated": "rows_updated"}
    return {
        **fields(sample.row, "id", "requested_by", "requested_at", "max_rows", "run_id", "note", **counts),
        "rows": rows_documents(sample.rows),
    }


def rows_documents(rows: Iterable[ChangedRow]) -> list[Document]:
    """Return sampled rows."""
    return [fields(row, "kind", "key", "old", "new", "omitted") for row in rows]
