"""Lists, replays and dismisses artefacts that could not be processed."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import DEFAULT_DB_ALIAS

from data_pipeline.domain.dead_letters import DeadLetter, LetterState
from data_pipeline.errors import PipelineError
from data_pipeline.models import LoadDeadLetter
from data_pipeline.postgres import dead_letters
from data_pipeline.postgres.error_translation import translate_errors
from data_pipeline.silver_errors import UnknownLetter
from data_pipeline.structured_log import INFO, log_event

DEFAULT_LIMIT = 50


@dataclass(frozen=True, kw_only=True, slots=True)
class ReplayedLetter:
    """The result of a replay."""

    letter_id: int
    uri: str
    load_id: int | None = None
    error: str | None = None  # None after a success


def list_letters(
    *, limit: int | None = DEFAULT_LIMIT, has_all_states: bool = False, using: str = DEFAULT_DB_ALIAS
) -> Sequence[DeadLetter]:
    """Return the open letters, or those of all states, latest first."""
    with translate_errors(using):
        letters = LoadDeadLetter.objects.using(using).order_by("-updated_at", "-id")
        if not has_all_states:
            letters = letters.filter(state=LetterState.OPEN)
        return [_letter(one) for one in letters[:limit]]


def replay_letter(letter_id: int, *, using: str = DEFAULT_DB_ALIAS) -> ReplayedLetter:
    """Process the artefact of a letter now, in its present version. A success resolves the letter.

    Raises `UnknownLetter`, or errors of the database.
    """
    from data_pipeline.services.silver_requests import transform_object  # imports the client of object storage

    with translate_errors(using):
        letter = LoadDeadLetter.objects.using(using).filter(pk=letter_id).first()
        if letter is None:
            raise UnknownLetter(letter_id=letter_id)
        try:
            outcome = transform_object(letter.uri, letter.options, task_id=f"dead letter {letter_id}", using=using)
        except PipelineError as error:
            return ReplayedLetter(letter_id=letter_id, uri=letter.uri, error=str(error))
        dead_letters.resolve(using, source=letter.source, uri=letter.uri)  # if it was written before, too
    return ReplayedLetter(letter_id=letter_id, uri=letter.uri, load_id=outcome.load_id)


def dismiss_letters(letter_ids: Sequence[int], *, actor: str, using: str = DEFAULT_DB_ALIAS) -> Sequence[int]:
    """Dismiss open letters: their artefacts are not tried again in this version. Return the ids of those dismissed."""
    with translate_errors(using):
        dismissed = dead_letters.dismiss(using, letter_ids)
    for letter_id in dismissed:
        log_event(INFO, "letter_dismissed", letter=letter_id, actor=actor)
    return dismissed


def _letter(row: LoadDeadLetter) -> DeadLetter:
    return DeadLetter(
        letter_id=row.pk,
        source=row.source,
        uri=row.uri,
        state=LetterState(row.state),
        attempts=row.attempts,
        error_code=row.error_code,
        error_message=row.error_message,
        next_try_at=row.next_try_at,
        load_id=row.load_id,
        updated_at=row.updated_at,
    )
