"""Hides secrets in settings and environment variables, by their names."""

import re
from collections.abc import Mapping, Sequence

from data_pipeline.domain.uris import is_uri, without_query

HIDDEN = "…"
_SECRET_NAME = re.compile(
    r"SECRET|PASSW|TOKEN|CREDENTIAL|PRIVATE|DSN|SALT|(?:API|ACCESS|HASH|SIGNING)_?KEY|_KEYS?$", re.IGNORECASE
)


def without_secrets(name: str, value: object) -> object:
    """Return the value of a setting as JSON has it. Secrets are hidden, and URLs lose credentials and queries."""
    if _SECRET_NAME.search(name):
        return HIDDEN if value not in ("", None) else value
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, Mapping):
        return {str(key): without_secrets(str(key), one) for key, one in value.items()}
    if isinstance(value, Sequence | set | frozenset):
        return [without_secrets(name, one) for one in value]
    is_scalar = value is None or isinstance(value, bool | int | float)
    return value if is_scalar else f"<{type(value).__name__}>"  # the text of an object may have a secret


def _text(text: str) -> str:
    """Return a text without the passwords of connection strings."""
    if is_uri(text):
        return without_query(text).partition("?")[0]
    return re.sub(r"(?i)(passw\w*\s*=\s*)('[^']*'|\S+)", rf"\1{HIDDEN}", text)
