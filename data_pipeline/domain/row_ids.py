"""Ids and numbers of rows, as people and URLs write them."""


def parse_row_id(text: str) -> int | None:
    """Return the number that ASCII digits are, or None.

    None if there are no digits, or too many for a bigint.
    """
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None
