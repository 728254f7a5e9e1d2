"""Dead letters as tables and lines, and as JSON documents."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from data_pipeline.domain.dead_letters import DeadLetter, LetterState
from data_pipeline.domain.load_words import load_word
from data_pipeline.services.dead_letters import ReplayedLetter
from seeder.management.rendering.command_output import Block, TableRow, TextTable, figures, foldable
from seeder.management.rendering.local_times import local_time_text
from seeder.management.rendering.run_text import first_line
from seeder.texts import Text


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
        headings=(
            *(figures(Text("load")), foldable(Text("artefact")), Text("table"), Text("state")),
            *(figures(Text("attempts")), Text("next try")),
        ),
        rows=[_row(one) for one in letters],
    )
    for one in letters:
        error = first_line(one.error_message or one.error_code or "") or Text("unknown")
        yield Text("load {load_id}: {error}", load_id=one.load_id, error=error), "red"
    if not letters:
        yield Text("No dead letters")


def replay_blocks(replayed: Sequence[ReplayedLetter]) -> Iterator[Block]:
    """Yield a line for each replayed letter."""
    for one in replayed:
        if one.error is not None:
            yield Text("load {load_id}: {error}", load_id=one.load_id, error=one.error), "red"
        else:
            facts = {"load_id": one.load_id, "replayed_by": one.replayed_by}
            yield Text("load {load_id}: resolved (load {replayed_by})", **facts), "green"
    if not replayed:
        yield Text("No dead letters")


def _row(letter: DeadLetter) -> TableRow:
    next_try = local_time_text(letter.next_try_at) if letter.next_try_at else Text("by an operator")
    tries = next_try if letter.state is LetterState.OPEN else ""
    state = load_word(letter.state)
    facts: list[str] = [letter.artefact, state, Text("attempts {number:,}", number=letter.attempts)]
    facts += [Text("next try {time}", time=tries)] if tries else []
    return TableRow(
        line=Text("load {load_id}: {facts}", load_id=letter.load_id, facts=Text.joined(facts)),
        cells=[
            str(letter.load_id),
            letter.artefact,
            letter.table or "",
            state,
            f"{letter.attempts:,}",
            tries,
        ],
    )
