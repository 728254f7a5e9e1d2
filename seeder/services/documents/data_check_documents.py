"""Documents of data checks, their results and decisions on them."""

from collections.abc import Iterable, Mapping
from typing import Any

from seeder.domain.data_checks.definitions import CheckDefinition
from seeder.domain.data_checks.results import CheckResult
from seeder.models import DataCheckResult, DataCheckWaiver
from seeder.services.data_checks.check_sync import CheckSync
from seeder.services.documents.document_fields import Document, camel_case, fields


def results_documents(results: Iterable[CheckResult]) -> list[Document]:
    """Return the results of the checks of a refresh, without rows."""
    return [
        {
            "name": result.check.name,
            "kind": result.check.kind,
            "severity": result.check.severity,
            **fields(result, "outcome", "sqlstate"),
            "figures": figures_document(result.figures),
        }
        for result in results
    ]


def stored_result_document(row: DataCheckResult, *, can_see_data: bool) -> Document:
    """Return a stored result. Its bad rows and message can have data, which only some users may see."""
    return {
        **fields(row, "run_id", "table_name", "kind", "severity", "outcome", "sqlstate", name="check_name"),
        "database": row.database_alias,
        "figures": figures_document(row.figures),
        "samples": row.samples if can_see_data else [],
        "message": row.message if can_see_data else None,
    }


def waivers_document(rows: Iterable[DataCheckWaiver]) -> Document:
    """Return decisions on held views."""
    return {
        "decisions": [
            {
                **fields(row, "table_name", "decision", "sqlstate", "reason", "granted_by", name="check_name"),
                "database": row.database_alias,
                "figures": figures_document(row.figures),
            }
            for row in rows
        ]
    }


def sync_document(result: CheckSync) -> Document:
    """Return what a synchronisation has changed, or would change."""
    changes = result.changes
    return {
        "source": result.source,
        "added": [definition_document(one) for one in changes.added],
        "changed": [{**definition_document(one.new), "fields": one.fields} for one in changes.changed],
        "removed": [definition_document(one) for one in changes.removed],
        "takenOver": [definition_document(one) for one in result.taken_over],
        "unchanged": changes.unchanged,
        "unknownViews": list(result.unknown_views),
    }


def definition_document(one: CheckDefinition) -> Document:
    """Return the definition of a check."""
    columns = ("name", "kind", "severity", "tolerated_rows", "tolerated_share", "enabled")
    return {"view": one.view, **fields(one, *columns), "arguments": dict(one.arguments)}


def figures_document(figures: Mapping[str, Any]) -> Document:
    """Return figures by camel-case names."""
    return {camel_case(name): figure for name, figure in figures.items()}
