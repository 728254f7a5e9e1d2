"""Texts in the language of the current reader: of a request, or that of the settings."""

from typing import SupportsFloat

from django.utils import formats, translation

from seeder.texts import Text


class _ActiveLanguage:
    """The catalogs of the installed apps, in the language that Django has activated for this thread."""

    def gettext(self, message: str) -> str:
        return translation.gettext(message)

    def ngettext(self, singular: str, plural: str, number: int) -> str:
        return translation.ngettext(singular, plural, number)

    def localize(self, value: object, spec: str) -> str:
        """Format a number with the separators of the language: the specs are `,` and `.2f`."""
        if spec == "," and isinstance(value, int):
            return formats.number_format(value, force_grouping=True)
        if spec.endswith("f") and isinstance(value, SupportsFloat):
            return formats.number_format(float(value), decimal_pos=int(spec[1:-1]))
        return format(value, spec)


_CATALOG = _ActiveLanguage()


def translated(message: object) -> str:
    """Return a text, or the text of an error, in the language of the reader, and any other message as it is."""
    text = str(message)
    return text.translated(_CATALOG) if isinstance(text, Text) else text
