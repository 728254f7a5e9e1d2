"""Sentences that keep their template, so that a page can show them in another language.

A text is its English sentence: in rows, logs, JSON documents and comparisons it is a string like any other. Pages,
messages of the API and the output of commands translate it at the last moment, in the language of their reader.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Protocol, Self


class Catalog(Protocol):
    """Messages and formats of one language."""

    def gettext(self, message: str, context: str | None = None) -> str:
        """Return the translated message, or the message itself. A context tells equal English words apart."""

    def ngettext(self, singular: str, plural: str, number: int, context: str | None = None) -> str:
        """Return the translated form for this number. A context tells equal English words apart."""

    def localize(self, value: object, spec: str) -> str:
        """Format a value that is no text, as `format(value, spec)` does in English."""


class Text(str):
    """A sentence from a template and arguments, as for `str.format`. An argument can be a text itself."""

    __slots__ = ("arguments", "context", "plural", "template")

    template: str
    context: str | None  # tells equal English words apart
    plural: str | None  # with it, the argument `number` decides
    arguments: Mapping[str, object]

    def __new__(cls, template: str, /, **arguments: object) -> Self:
        return cls._of(template, None, arguments)

    @classmethod
    def in_context(cls, context: str, template: str, /, **arguments: object) -> Self:
        """Return a text that other languages translate differently in this context."""
        return cls._of(template, None, arguments, context)

    @classmethod
    def counted(cls, singular: str, plural: str, /, number: int, **arguments: object) -> Self:
        """Return the singular for 1, and the plural for every other number."""
        return cls._of(singular, plural, {"number": number, **arguments})

    @classmethod
    def counted_in_context(cls, context: str, singular: str, plural: str, /, number: int, **arguments: object) -> Self:
        """Return a counted text that other languages translate differently in this context."""
        return cls._of(singular, plural, {"number": number, **arguments}, context)

    @classmethod
    def joined(cls, parts: Iterable[str], separator: str = ", ") -> Self:
        """Return texts or names one after the other, with the separator between them."""
        arguments = {f"part_{index}": part for index, part in enumerate(parts)}
        return cls._of(separator.join(f"{{{name}}}" for name in arguments), None, arguments)

    @classmethod
    def _of(
        cls, template: str, plural: str | None, arguments: Mapping[str, object], context: str | None = None
    ) -> Self:
        self = super().__new__(cls, cls._finished(_form(template, plural, arguments).format(**arguments)))
        self.template, self.plural, self.arguments, self.context = template, plural, arguments, context
        return self

    def __str__(self) -> str:
        return self  # not a copy without the template

    def __reduce__(self) -> tuple[Any, ...]:
        """Copy and pickle it as it is. A copy of the sentence would be taken for a template."""
        return self._of, (self.template, self.plural, self.arguments, self.context)

    def with_number(self, number: int) -> Self:
        """Return a counted text with another number."""
        return self._of(self.template, self.plural, {**self.arguments, "number": number}, self.context)

    def with_arguments(self, **arguments: object) -> Self:
        """Return the text with other arguments."""
        return self._of(self.template, self.plural, arguments, self.context)

    def translated(self, catalog: Catalog) -> str:
        """Return the sentence in the language of a catalog, with the arguments that are texts."""
        if self.plural is None:
            template = catalog.gettext(self.template, self.context)
        else:
            template = catalog.ngettext(self.template, self.plural, _number(self.arguments), self.context)
        shown = {name: _shown(value, catalog) for name, value in self.arguments.items()}
        return self._finished(template.format(**shown))

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


def _shown(value: object, catalog: Catalog) -> object:
    if isinstance(value, Text):
        return value.translated(catalog)
    return value if isinstance(value, str) else _Localized(value, catalog)


class _Localized:
    """A value that `str.format` formats as the catalog does."""

    __slots__ = ("_catalog", "_value")

    def __init__(self, value: object, catalog: Catalog) -> None:
        self._value, self._catalog = value, catalog

    def __format__(self, spec: str) -> str:
        return self._catalog.localize(self._value, spec)

    def __repr__(self) -> str:
        return repr(self._value)
