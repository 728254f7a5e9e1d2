"""Documents of the rows that refreshes changed."""

from collections.abc import Iterable

from seeder.domain.row_changes import ChangedRow, RowChanges
from seeder.services.documents.document_fields import Document, fields


def changes_document(changes: RowChanges, *, with_rows: bool) -> Document:
    """Return the numbers of changed rows, with the sampled rows if required."""
    document = fields(changes, "inserted", "deleted", "updated", "note")
    return {**document, "rows": rows_documents(changes.rows)} if with_rows else document


def rows_documents(rows: Iterable[ChangedRow]) -> list[Document]:
    """Return sampled rows."""
    return [dict(row.as_document()) for row in rows]
