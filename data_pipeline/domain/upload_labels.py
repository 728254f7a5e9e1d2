"""The client's name of an uploaded file, which is only shown."""

import re
import unicodedata

from data_pipeline.domain.storable_text import escape_unstorable

_MAX_LENGTH = 255  # characters
_FOLDERS = re.compile(r"[/\\]")


def clean_label(file_name: str) -> str | None:
    """Return the name without folders and unprintable characters. None if nothing is left."""
    name = _FOLDERS.split(file_name)[-1]
    printable = "".join(one for one in unicodedata.normalize("NFC", name) if one.isprintable())
    return escape_unstorable(printable.strip())[:_MAX_LENGTH] or None
