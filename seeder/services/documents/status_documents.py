"""The document of `refresh_status`."""

from collections.abc import Sequence

from seeder.services.documents.document_fields import Document, fields
from seeder.services.documents.freshness_documents import contract_document
from seeder.services.documents.job_documents import job_documents
from seeder.services.read_models.job_list import JobOverview


def status_document(overview: JobOverview, open_breakers: Sequence[str] = ()) -> Document:
    return {
        "totals": fields(overview.totals, "jobs", "fresh", "failing", "running", "long_running", "stale"),
        "openBreakers": open_breakers,
        "count": overview.page.total,
        "lateContracts": [
            contract_document(one)
            for job in overview.page.jobs
            for one in overview.late_contracts.get(job.table_name, ())
        ],
        "jobs": job_documents(
            overview.page.jobs, overview.agency_names, overview.failures, overview.as_of, overview.ages
        ),
    }
