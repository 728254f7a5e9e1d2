"""The catalogs and formats of the language that Django has activated: of a request, or that of the settings."""

from datetime import date
from typing import SupportsFloat

from django.utils import formats, translation
from django.utils.dates import MONTHS_3


class ActiveLanguage:
    """The catalogs of the installed apps, in the language that Django has activated for this thread."""

    def gettext(self, message: str) -> str:
        return translation.gettext(message)

    def ngettext(self, singular: str, plural: str, number: int) -> str:
        return translation.ngettext(singular, plural, number)

    def localize(self, value: object, spec: str) -> str:
        """Format a number with the separators of the language, for `,` and `.2f`, and months with its names."""
        if spec == "," and isinstance(value, int):
            return formats.number_format(value, force_grouping=True)
        if spec.endswith("f") and isinstance(value, SupportsFloat):
            rounded = format(float(value), spec)  # Django would cut the other digits off
            return formats.number_format(rounded, decimal_pos=int(spec[1:-1]))
        if isinstance(value, date):  # a datetime is one
            spec = spec.replace("%b", str(MONTHS_3[value.month]).title())
        return format(value, spec)


ACTIVE_LANGUAGE = ActiveLanguage()
