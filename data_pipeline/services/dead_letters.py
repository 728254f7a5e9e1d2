"""Lists, replays and dismisses artefacts that could not be loaded or transformed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.db import DEFAULT_DB_ALIAS
from django.db.models.functions import Now

from data_pipeline.correction_errors import UnknownLetter
from data_pipeline.domain.dead_letters import DeadLetter, LetterState
from data_pipeline.errors import PipelineError
from data_pipeline.models import LoadDeadLetter, LoadLog
from data_pipeline.postgres.error_translation import translate_errors
from data_pipeline.services.load_replay import replay_load
from data_pipeline.services.reject_listing import dismiss_load

DEFAULT_LIMIT = 50


@dataclass(frozen=True, kw_only=True, slots=True)
class ReplayedLetter:
    """The result of a replay."""

    load_id: int  # of the dead letter
    artefact: str
    replayed_by: int | None = None  # the load that succeeded; the same one if its file has not changed
    error: str | None = None  # None after a success


def list_letters(
    *,
    limit: int | None = DEFAULT_LIMIT,
    has_all_states: bool = False,
    only_due: bool = False,
    using: str = DEFAULT_DB_ALIAS,
) -> Sequence[DeadLetter]:
    """Return the letters in a state.

    By default the open ones, otherwise all, or those whose next try has come. The latest is first.
    """
    letters = LoadDeadLetter.objects.using(using).order_by("-updated_at", "-load_id")
    if only_due:
        letters = letters.filter(next_try_at__lte=Now())
    elif not has_all_states:
        letters = letters.filter(state=LetterState.OPEN)
    with translate_errors(using):
        return [_letter(one) for one in letters[:limit]]


def replay_letter(load_id: int, *, using: str = DEFAULT_DB_ALIAS) -> ReplayedLetter:
    """Load or transform a letter's artefact now, in its present version.

    A success resolves the letter.

    Raises `UnknownLetter`, or errors of the database.
    """
    with translate_errors(using):
        letter = LoadDeadLetter.objects.using(using).filter(pk=load_id).first()
    if letter is None:
        raise UnknownLetter(load_id=load_id)
    artefact = letter.uri or letter.source
    try:
        loaded = replay_load(load_id, using=using)
    except PipelineError as error:
        return ReplayedLetter(load_id=load_id, artefact=artefact, error=str(error))
    return ReplayedLetter(load_id=load_id, artefact=artefact, replayed_by=loaded.load_id)


def replay_letters(
    load_ids: Sequence[int] = (),
    *,
    only_due: bool = False,
    on_progress: Callable[[int, int], object] = lambda _, _total: None,
    using: str = DEFAULT_DB_ALIAS,
) -> Sequence[ReplayedLetter]:
    """Replay the letters of these loads.

    By default all open ones, or those whose next try has come, the oldest first. Of the latter, one is left to an
    operator if another process has loaded its table meanwhile. Raises as `replay_letter`.
    """
    found = [] if load_ids else list_letters(limit=None, only_due=only_due, using=using)
    letters = {one.load_id: one for one in sorted(found, key=lambda one: one.load_id)}  # later loads must end later
    replayed = list[ReplayedLetter]()
    for completed, load_id in enumerate(load_ids or letters, start=1):
        try:
            if not (only_due and _is_overtaken(letters[load_id], replayed, using)):
                replayed.append(replay_letter(load_id, using=using))
        except UnknownLetter:
            if load_ids:
                raise  # otherwise another process has loaded it meanwhile
        on_progress(completed, len(load_ids or letters))
    return replayed


def _is_overtaken(letter: DeadLetter, replayed: Sequence[ReplayedLetter], using: str) -> bool:
    """Return whether another load has changed the table since the failure.

    The replays are not others.
    """
    own = [one.replayed_by for one in replayed if one.replayed_by is not None]
    with translate_errors(using):
        later = LoadLog.objects.using(using).filter(target=letter.table, succeeded_at__gt=letter.updated_at)
        return letter.table is not None and later.exclude(pk__in=own).exists()


def dismiss_letters(load_ids: Sequence[int], *, actor: str, using: str = DEFAULT_DB_ALIAS) -> Sequence[int]:
    """Dismiss open letters with their rejects. Return the ids of those dismissed.

    A run of `get_s3_files` does not try a dismissed version again.
    """
    letters = LoadDeadLetter.objects.using(using).filter(pk__in=load_ids, state=LetterState.OPEN)
    with translate_errors(using):
        chosen = list(letters.order_by("pk").values_list("pk", flat=True))
    return [one for one in chosen if dismiss_load(one, actor=actor, using=using).is_failure]


def _letter(row: LoadDeadLetter) -> DeadLetter:
    return DeadLetter(
        load_id=row.pk,
        source=row.source,
        uri=row.uri,
        table=row.target,
        state=LetterState(row.state),
        attempts=row.attempts,
        error_code=row.error_code,
        error_message=row.error_message,
        next_try_at=row.next_try_at,
        updated_at=row.updated_at,
    )
