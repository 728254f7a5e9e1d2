"""Texts of any origin in the form that every database can store."""


def escape_unstorable(text: str) -> str:
    """Escape what no PostgreSQL text can have: NUL and lone surrogates."""
    return text.replace("\0", "\\x00").encode("utf-8", "backslashreplace").decode("utf-8")
