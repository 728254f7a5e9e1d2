"""A view with a proof, as a run takes it, and its verification."""

from collections.abc import Callable
from datetime import UTC, datetime

from seeder.domain.read_relations import ReadRelations
from seeder.domain.skip_proof import Change, SkipProof
from seeder.domain.view_names import ViewName
from seeder.postgres import sessions, skip_proofs, view_statements
from seeder.services.run import skip_proving
from seeder.services.run.skip_proving import ProvedView, RunRowVersions


def take_proof(
    view: ViewName, *, concurrently: bool = False, meanwhile: Callable[[], object] = lambda: None
) -> SkipProof | None:
    """Refresh a view, and return the proof for its rows. `meanwhile` is called before the refresh."""
    reads = skip_proofs.find_read_relations("default", [view])[view]
    with skip_proofs.locked_snapshot("default", reads.tables):
        before = skip_proving.before_refresh("default", view, reads)
        assert before is not None
        meanwhile()
        sessions.query("default", view_statements.refresh_materialized_view(view, concurrently=concurrently))
        return skip_proving.after_refresh("default", view, before)


def change_since(
    proof: SkipProof, view: ViewName, *, known: RunRowVersions | None = None, reads: ReadRelations | None = None
) -> Change | None:
    """Return what has changed since a proof, as of now. Raises a database error if a table is locked."""
    known = known or RunRowVersions.of([("default", proof)])
    reads = reads or skip_proofs.find_read_relations("default", [view])[view]
    with skip_proving.verified(ProvedView("default", reads, proof), known, now=datetime.now(UTC)) as verdict:
        return verdict.change
