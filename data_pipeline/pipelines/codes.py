"""Codes of articles and vendors, as a caller gives them."""

MAX_CODE_LENGTH = 64  # characters


def is_code(text: str) -> bool:
    """Return whether a text is a code.

    It has 1 to 64 printable characters, without spaces around them.
    """
    return text.isprintable() and 0 < len(text.strip()) == len(text) <= MAX_CODE_LENGTH
