"""Sentences that keep their template, so that a page can show them in another language.

A text is its English sentence: in rows, logs, JSON documents and comparisons it is a string like any other. Pages,
messages of the API and the output of commands translate it at the last moment, in the language of their reader.
"""

from collections.abc import Iterable, Mapping
from string import Formatter
from typing import Any, Protocol, Self


class Catalog(Protocol):
    """Messages and formats of one language."""

    def gettext(self, message: str) -> str:
        """Return the translated message, or the message itself."""

    def ngettext(self, singular: str, plural: str, number: int) -> str:
        """Return the translated form for this number."""

    def localize(self, value: object, spec: str) -> str:
        """Format a value that is no text, as `format(value, spec)` does in English."""


class Text(str):
    """A sentence from a template and arguments, as for `str.format`. An argument can be a text itself."""

    __slots__ = ("arguments", "plural", "template")

    template: str
    plural: str | None  # with it, the argument `number` decides
    arguments: Mapping[str, object]

    def __new__(cls, template: str, /, **arguments: object) -> Self:
        return cls._of(template, None, arguments)

    @classmethod
    def counted(cls, singular: str, plural: str, /, number: int, **arguments: object) -> Self:
        """Return the singular for 1, and the plural for every other number."""
        return cls._of(singular, plural, {"number": number, **arguments})

    @classmethod
    def joined(cls, parts: Iterable[str], separator: str = ", ") -> Self:
        """Return texts or names one after the other, with the separator between them."""
        arguments = {f"part_{index}": part for index, part in enumerate(parts)}
        return cls._of(separator.join(f"{{{name}}}" for name in arguments), None, arguments)

    @classmethod
    def _of(cls, template: str, plural: str | None, arguments: Mapping[str, object]) -> Self:
        self = super().__new__(cls, cls._finished(_form(template, plural, arguments).format(**arguments)))
        self.template, self.plural, self.arguments = template, plural, arguments
        return self

    def __str__(self) -> str:
        return self  # not a copy without the template

    def __reduce__(self) -> tuple[Any, ...]:
        """Copy and pickle it as it is. A copy of the sentence would be taken for a template."""
        return self._of, (self.template, self.plural, self.arguments)

    def translated(self, catalog: Catalog) -> str:
        """Return the sentence in the language of a catalog, with the arguments that are texts."""
        if self.plural is None:
            template = catalog.gettext(self.template)
        else:
            template = catalog.ngettext(self.template, self.plural, _number(self.arguments))
        return self._finished(_Translating(catalog).vformat(template, (), self.arguments))

    @staticmethod
    def _finished(sentence: str) -> str:
        return sentence


class OneLineText(Text):
    """A text in one line, in spite of line breaks in its template and arguments."""

    __slots__ = ()

    @staticmethod
    def _finished(sentence: str) -> str:
        return " ".join(sentence.split())


def _number(arguments: Mapping[str, object]) -> int:
    number = arguments["number"]
    assert isinstance(number, int)  # noqa: S101  # by the signature of `counted`
    return number


def _form(singular: str, plural: str | None, arguments: Mapping[str, object]) -> str:
    return singular if plural is None or _number(arguments) == 1 else plural


class _Translating(Formatter):
    """Formats as `str.format`, but translates texts and localizes other values."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def format_field(self, value: Any, format_spec: str) -> str:
        if isinstance(value, Text):
            return format(value.translated(self._catalog), format_spec)
        return str(format(value, format_spec)) if isinstance(value, str) else self._catalog.localize(value, format_spec)
