"""Texts of any origin in the form that every database can store."""


def escape_unstorable(text: str) -> str:
    """Return a text with NUL and lone surrogates, which no PostgreSQL text can have, shown escaped."""
    return text.replace("\0", "\\x00").encode("utf-8", "backslashreplace").decode("utf-8")
