"""Documents of listed manifests and of queries on trial."""

from collections.abc import Iterable, Mapping

from seeder.domain.query_trials import QueryTrial
from seeder.services.documents.document_fields import Document, fields
from seeder.services.documents.job_documents import manifest_document
from seeder.services.read_models.manifest_list import ListedManifest


def listed_manifest_documents(rows: Iterable[ListedManifest], agency_names: Mapping[int, str]) -> list[Document]:
    return [
        {
            **manifest_document(row.manifest),
            "agencyName": agency_names[row.manifest.agency_id],
            "query": row.manifest.query,
            **fields(row, "database_id", "enabled", "canned_report_id", "version"),
            "status": row.last_refresh and row.last_refresh.status,
            "drift": fields(row.drift, "state", "cause"),
        }
        for row in rows
    ]


def trial_document(trial: QueryTrial) -> Document:
    changes, rows = trial.column_changes, trial.first_rows
    return {
        "problem": trial.problem and fields(trial.problem, "message", "sqlstate", "line", "column", "hint"),
        "plan": trial.plan,
        "columns": [fields(one, "name", "type") for one in trial.columns],
        "columnChanges": (
            None if changes is None else [fields(one, "name", "kind", "before", "after") for one in changes]
        ),
        "relations": [{"name": str(one.name), "canSelect": one.can_select} for one in trial.relations],
        "firstRows": rows and fields(rows, "column_names", "rows", "has_more"),
        "warnings": [fields(one, "code", "message") for one in trial.warnings],
    }
