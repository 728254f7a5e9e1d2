"""Documents of data checks, their results and decisions on them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from seeder.domain.data_checks.definitions import CheckDefinition
from seeder.domain.data_checks.results import CheckResult
from seeder.models import DataCheckWaiver
from seeder.services.data_checks.check_rows import definition_of, version_of_row
from seeder.services.data_checks.check_sync import CheckSync
from seeder.services.documents.document_fields import Document, camel_case, fields
from seeder.services.read_models.check_results import CheckedRefresh, ListedCheck, VisibleResult


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


def result_document(result: VisibleResult) -> Document:
    """Return a stored result as the user may see it."""
    return {
        **fields(result.row, "kind", "severity", "outcome", "sqlstate", name="check_name"),
        **fields(result, "text", "message"),
        "arguments": arguments_document(result.row.arguments),
        "figures": figures_document(result.row.figures),
        "samples": list(result.samples),
    }


def check_document(listed: ListedCheck) -> Document:
    """Return a data check with its latest result."""
    row, last = listed.row, listed.last
    history = None if last is None else last.row.history
    return {
        **definition_document(definition_of(row)),
        **fields(row, "source", "updated_by", "updated_at", database="database_alias"),
        "arguments": {} if listed.problem else arguments_document(row.arguments),
        "version": version_of_row(row),
        "problem": listed.problem,
        "lastResult": last and {**result_document(last), **fields(history, "run_id", "start_time")},
    }


def checked_refresh_document(refresh: CheckedRefresh) -> Document:
    """Return a refresh with the results of its checks."""
    return {
        **fields(refresh.history, "run_id", "status", "start_time", "finish_time"),
        "held": refresh.is_held,
        "results": [result_document(one) for one in refresh.results],
    }


def waivers_document(rows: Iterable[DataCheckWaiver], undecided: Sequence[str]) -> Document:
    """Return decisions on a held view, and the checks that still hold it."""
    return {"decisions": [decision_document(row) for row in rows], "stillHeldBy": list(undecided)}


def decision_document(row: DataCheckWaiver) -> Document:
    """Return a decision on a held view."""
    return {
        **fields(row, "decision", "sqlstate", "reason", "granted_by", "granted_at", "expires_at"),
        "view": row.table_name,
        "database": row.database_alias,
        "name": row.check_name,
        "figures": figures_document(row.figures),
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
    return {"view": one.view, **fields(one, *columns), "arguments": arguments_document(one.arguments)}


def arguments_document(arguments: Mapping[str, Any]) -> Document:
    """Return arguments by camel-case names."""
    return {camel_case(name): value for name, value in arguments.items()}


def figures_document(figures: Mapping[str, Any]) -> Document:
    """Return figures by camel-case names."""
    return {camel_case(name): figure for name, figure in figures.items()}
