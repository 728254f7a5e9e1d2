"""Dead letters as tables and lines, and as JSON documents."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from data_pipeline.domain.dead_letters import DeadLetter
from data_pipeline.services.dead_letters import ReplayedLetter
from seeder.management.rendering.command_output import Block, TableRow, TextTable


def letter_document(letter: DeadLetter) -> Mapping[str, Any]:
    return {
        "letterId": letter.letter_id,
        "source": letter.source,
        "uri": letter.uri,
        "state": letter.state.value,
        "attempts": letter.attempts,
        "errorCode": letter.error_code,
        "error": letter.error_message,
        "nextTryAt": letter.next_try_at.isoformat() if letter.next_try_at else None,
        "loadId": letter.load_id,
        "updatedAt": letter.updated_at.isoformat(),
    }


def letter_blocks(letters: Sequence[DeadLetter]) -> Iterator[Block]:
    """Yield a table of letters, and the error of each."""
    yield TextTable(
        headings=("letter>", "artefact", "state", "attempts>", "next try"), rows=[_row(one) for one in letters]
    )
    for one in letters:
        yield f"dead letter {one.letter_id}: {one.error_message}", "red"
    if not letters:
        yield "No dead letters"


def replay_blocks(replayed: Sequence[ReplayedLetter]) -> Iterator[Block]:
    """Yield a line for each replayed letter."""
    for one in replayed:
        if one.error is not None:
            yield f"dead letter {one.letter_id}: {one.error}", "red"
        else:
            load = "" if one.load_id is None else f" (load {one.load_id})"
            yield f"dead letter {one.letter_id}: resolved{load}", "green"
    if not replayed:
        yield "No dead letters"


def _row(letter: DeadLetter) -> TableRow:
    next_try = f"{letter.next_try_at:%Y-%m-%d %H:%M} UTC" if letter.next_try_at else "by an operator"
    facts = f"{letter.state.value}, attempts {letter.attempts}, next try {next_try}"
    return TableRow(
        line=f"dead letter {letter.letter_id}: {letter.uri}, {facts}",
        cells=[str(letter.letter_id), letter.uri, letter.state.value, f"{letter.attempts:,}", next_try],
    )
