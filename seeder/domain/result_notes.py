"""Sentences that a result carries besides its figures, and that end up in its row."""

from collections.abc import Iterable, Iterator

from seeder.domain.outcomes import RefreshResult, StartContext
from seeder.domain.plan import DefinitionDrift


def notes_for(result: RefreshResult, start_context: StartContext, drift: Iterable[DefinitionDrift]) -> Iterator[str]:
    """What should be known of a result, a sentence or two each."""
    if result.satisfied_by:
        yield f"Refreshed by run {result.satisfied_by}, which began after this run had been asked for."
    if result.fell_back:
        yield (
            "Refreshed plainly, so that readers waited: it has no unique index on plain columns without a WHERE clause,"
            " or had never been filled."
        )
    for key in start_context.failed_dependencies:
        yield f"It reads {key.name}, which failed in this run: what comes from there is as old as that is."
    yield from map(definition_drift_note, drift)


def definition_drift_note(drift: DefinitionDrift) -> str:
    """What is the matter with a manifest whose query is not what its view was created from."""
    manifest = drift.manifest
    cause_clause = f", and that cannot be a view today: {drift.cause}" if drift.cause else ""
    return (
        f"Definition drift: {manifest.report_type} manifest {manifest.manifest_id} of {manifest.agency_slug} asks for"
        f" another query than the one that the view was created from{cause_clause}. Create the view anew from it,"
        " or put the"
        " old query back into the manifest; a refresh does neither."
    )
