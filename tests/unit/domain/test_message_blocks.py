"""The blocks of PostgreSQL's messages."""

from seeder.domain.message_blocks import message_blocks

POINTED = "ZEILE 3: SELECT nosuch\n                ^"


def blocks(message: str) -> list[tuple[str, bool]]:
    return [(one.text, one.is_aligned) for one in message_blocks(message)]


def test_line_above_a_caret_is_aligned_with_it() -> None:
    message = f"Spalte »nosuch« existiert nicht\n{POINTED}\nHINT:  Rename it.\nTwice."
    assert blocks(message) == [
        ("Spalte »nosuch« existiert nicht", False),
        (POINTED, True),
        ("HINT:  Rename it.\nTwice.", False),
    ]
    assert blocks(POINTED) == [(POINTED, True)]
    assert blocks("division by zero\nCONTEXT: 2 ^ 3\n^ a") == [("division by zero\nCONTEXT: 2 ^ 3\n^ a", False)]
