"""Dead letters as tables and lines, and as JSON documents."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.utils import timezone

from data_pipeline.domain.dead_letters import DeadLetter, LetterState
from data_pipeline.services.dead_letters import ReplayedLetter
from seeder.management.rendering.command_output import Block, TableRow, TextTable
from seeder.management.rendering.run_text import first_line


def letter_document(letter: DeadLetter) -> Mapping[str, Any]:
    return {
        "loadId": letter.load_id,
        "source": letter.source,
        "uri": letter.uri,
        "table": letter.table,
        "state": letter.state.value,
        "attempts": letter.attempts,
        "errorCode": letter.error_code,
        "error": letter.error_message,
        "nextTryAt": letter.next_try_at.isoformat() if letter.next_try_at else None,
        "updatedAt": letter.updated_at.isoformat(),
    }


def replay_document(replayed: ReplayedLetter) -> Mapping[str, Any]:
    return {
        "loadId": replayed.load_id,
        "artefact": replayed.artefact,
        "replayedBy": replayed.replayed_by,
        "error": replayed.error,
    }


def letter_blocks(letters: Sequence[DeadLetter]) -> Iterator[Block]:
    """Yield a table of letters, and the error of each."""
    yield TextTable(
        headings=("load>", "artefact+", "table", "state", "attempts>", "next try"), rows=[_row(one) for one in letters]
    )
    for one in letters:
        yield f"load {one.load_id}: {first_line(one.error_message or one.error_code or 'unknown')}", "red"
    if not letters:
        yield "No dead letters"


def replay_blocks(replayed: Sequence[ReplayedLetter]) -> Iterator[Block]:
    """Yield a line for each replayed letter."""
    for one in replayed:
        if one.error is not None:
            yield f"load {one.load_id}: {one.error}", "red"
        else:
            yield f"load {one.load_id}: resolved (load {one.replayed_by})", "green"
    if not replayed:
        yield "No dead letters"


def _row(letter: DeadLetter) -> TableRow:
    next_try = f"{timezone.localtime(letter.next_try_at):%Y-%m-%d %H:%M %Z}" if letter.next_try_at else "by an operator"
    tries = next_try if letter.state is LetterState.OPEN else ""
    facts = f"{letter.state.value}, attempts {letter.attempts}{', next try ' if tries else ''}{tries}"
    return TableRow(
        line=f"load {letter.load_id}: {letter.artefact}, {facts}",
        cells=[
            str(letter.load_id),
            letter.artefact,
            letter.table or "",
            letter.state.value,
            f"{letter.attempts:,}",
            tries,
        ],
    )
