"""The catalogs and formats of the language that Django has activated: of a request, or that of the settings."""

import re
from datetime import date

from django.utils import formats, translation
from django.utils.dates import MONTHS_3

_NUMBER = re.compile(r"(?P<sign>\+?)(?P<grouping>,?)(\.(?P<decimals>\d+))?(?P<type>[f%]?)")


class ActiveLanguage:
    """The catalogs of the installed apps, in the language that Django has activated for this thread."""

    def gettext(self, message: str, context: str | None = None) -> str:
        return translation.pgettext(context, message) if context else translation.gettext(message)

    def ngettext(self, singular: str, plural: str, number: int, context: str | None = None) -> str:
        if context:
            return translation.npgettext(context, singular, plural, number)
        return translation.ngettext(singular, plural, number)

    def localize(self, value: object, spec: str) -> str:
        """Format a number with the separators of the language, for `,`, `.2f` and `.1%`, and months with its names."""
        if isinstance(value, date):  # a datetime is one
            return format(value, spec.replace("%b", _month(value)) if "%b" in spec else spec)
        number = _NUMBER.fullmatch(spec) if spec and isinstance(value, int | float) else None
        if number and (number["decimals"] or isinstance(value, int)):
            return _localize_number(format(value, spec), number)
        return format(value, spec)


def _localize_number(english: str, spec: re.Match[str]) -> str:
    """Return the number with its digits, because Django would cut other digits off instead of rounding."""
    digits = english.removeprefix("+").removesuffix("%").replace(",", "")
    plus = "+" if english.startswith("+") else ""
    shown = plus + formats.number_format(digits, int(spec["decimals"] or 0), force_grouping=bool(spec["grouping"]))
    return translation.gettext("{number}%").format(number=shown) if spec["type"] == "%" else shown


def _month(value: date) -> str:
    """Return the short name of a month. Django has those of English in lower case."""
    name = str(MONTHS_3[value.month])
    return name.title() if (translation.get_language() or "en").startswith("en") else name


ACTIVE_LANGUAGE = ActiveLanguage()
