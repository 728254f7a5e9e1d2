"""Texts in the language of the current reader: of a request, or that of the settings."""

import sys

from seeder.texts import Text


def translated(message: object) -> str:
    """Return a text, or the text of an error, in the language of the reader, and any other message as it is.

    Importing this module imports no Django. A job that needs no Django prints English.
    """
    text = str(message)
    configuration = sys.modules.get("django.conf")
    if not isinstance(text, Text) or configuration is None:
        return text
    settings = configuration.settings
    if not (settings.configured and settings.USE_I18N):
        return text
    from seeder.services.active_language import ACTIVE_LANGUAGE

    return text.translated(ACTIVE_LANGUAGE)
