"""Notes on a result, which are stored in its row."""

from collections.abc import Iterable, Iterator

from seeder.domain.data_checks.result_text import data_check_notes
from seeder.domain.human_format import format_names
from seeder.domain.outcomes import RefreshResult, StartContext
from seeder.domain.plan import DefinitionDrift
from seeder.domain.view_names import ViewName
from seeder.texts import Text

_REUSED = "Refreshed by run "


def is_reuse_note(note: str) -> bool:
    """Return whether a note says that the refresh of another run was reused."""
    return note.startswith(_REUSED)


def notes_for(result: RefreshResult, start_context: StartContext, drift: Iterable[DefinitionDrift]) -> Iterator[str]:
    """Yield the notes on a result, one or two sentences each."""
    if result.satisfied_by:
        yield f"{_REUSED}{result.satisfied_by}, which started after this run was requested."
    if result.fell_back:
        yield (
            "Refreshed plainly, which blocked readers: the view has no unique index on plain columns without a WHERE"
            " clause, or was never filled."
        )
    for key in start_context.failed_dependencies:
        yield f"It reads {key.name}, which failed in this run: data from there is not new."
    for key in start_context.held_dependencies:
        yield f"It reads {key.name}, which its data checks held in this run: data from there is not new."
    for one in start_context.held_inputs:
        age = "not new" if one.as_of is None else f"as of {one.as_of:%Y-%m-%d %H:%M:%S %Z}"
        yield f"It reads {one.view.name}, which was held when it was last refreshed: data from there is {age}."
    yield from data_check_notes(result.checks)
    yield from map(definition_drift_note, drift)


def lost_race_note(group: str, changed: Iterable[ViewName]) -> str:
    """Describe why a consistent group was refreshed again."""
    names = format_names(map(str, changed), "view")
    return f"The consistent group {group} was refreshed again, because other sessions changed {names} or their tables."


def definition_drift_note(drift: DefinitionDrift) -> Text:
    """Describe a manifest whose query differs from its view's definition."""
    values = {
        "report_type": drift.manifest.report_type,
        "manifest_id": drift.manifest.manifest_id,
        "agency": drift.manifest.agency_slug,
    }
    if drift.cause:
        return Text(
            "Definition drift: the query of {report_type} manifest {manifest_id} of {agency} is not the query that the"
            " view was created from, and PostgreSQL rejects it: {cause}. Recreate the view, or restore the old query in"
            " the manifest; a refresh does neither.",
            cause=drift.cause,
            **values,
        )
    return Text(
        "Definition drift: the query of {report_type} manifest {manifest_id} of {agency} is not the query that the view"
        " was created from. Recreate the view, or restore the old query in the manifest; a refresh does neither.",
        **values,
    )
