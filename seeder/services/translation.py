"""Texts in the language of the current reader: of a request, or that of the settings."""

import sys

from seeder.texts import Text


def translated(message: object) -> str:
    """Return a text, or the text of an error, in the language of the reader, and any other message as it is.

    Importing this module imports no Django. A job that needs no Django prints English, and so does an error before
    Django has loaded its apps, because these have the catalogs.
    """
    text = str(message)
    registry = sys.modules.get("django.apps")
    if not isinstance(text, Text) or registry is None or not registry.apps.apps_ready:
        return text
    from django.conf import settings

    if not settings.USE_I18N:
        return text
    from seeder.services.active_language import ACTIVE_LANGUAGE

    return text.translated(ACTIVE_LANGUAGE)
