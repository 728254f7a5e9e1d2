"""Texts that the default database can store."""

from django.db import DEFAULT_DB_ALIAS

from seeder.domain.view_names import is_storable_text
from seeder.postgres import sessions


def is_storable(text: str) -> bool:
    """Return whether the default database can store the text, so that a row can have it.

    No database can store NUL and surrogates. One with another encoding than UTF8 lacks more characters.
    """
    return is_storable_text(text) and (text.isascii() or sessions.can_encode(DEFAULT_DB_ALIAS, text))
