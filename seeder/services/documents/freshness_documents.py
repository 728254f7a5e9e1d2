"""Documents of freshness contracts."""

from seeder.services.documents.document_fields import Document, fields
from seeder.services.documents.run_documents import view_document
from seeder.services.read_models.freshness_overview import ContractStatus, FreshnessOverview


def freshness_document(overview: FreshnessOverview) -> Document:
    return {
        "totals": dict(overview.counts),
        "contracts": [*map(contract_document, overview.statuses)],
        "problems": [fields(one, "id", "message") for one in overview.invalid],
    }


def contract_document(status: ContractStatus) -> Document:
    """Return the state of a contract of a view."""
    return {
        **view_document(status.view),
        "agencySlugs": list(status.agencies),
        "contract": str(status.contract),
        **fields(status.contract, "severity", contractId="id"),
        **fields(status.judgement, "state", "cause", "deadline"),
        **fields(status.age, dataAsOf="as_of", dataAsOfUnknown="unknown"),
    }
