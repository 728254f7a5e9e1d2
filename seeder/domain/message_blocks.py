"""PostgreSQL's messages, divided into running text and lines whose columns matter."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

# A quoted line of a query, and the line below it that points into it. Its label is translated with `lc_messages`.
_POINTED_LINE = re.compile(r"^(.*\n *\^ *)$", re.MULTILINE)


@dataclass(frozen=True, kw_only=True, slots=True)
class MessageBlock:
    """A part of a message."""

    text: str
    is_aligned: bool  # a line of the query above its caret, which must not wrap


def message_blocks(message: str) -> Iterator[MessageBlock]:
    """Yield the blocks of a message in order, without the line breaks between them."""
    for number, text in enumerate(_POINTED_LINE.split(message)):
        is_aligned = bool(number % 2)
        if stripped := text if is_aligned else text.strip("\n"):
            yield MessageBlock(text=stripped, is_aligned=is_aligned)
