"""Test-only catalogs: of a few messages, or of all, each with its own words between ⟦ and ⟧.

What an output has outside of the marks is in no catalog: names, stored texts, and sentences that were forgotten.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from html.parser import HTMLParser
from pathlib import Path

import django
from babel.messages.catalog import Catalog
from babel.messages.mofile import read_mo, write_mo
from babel.messages.pofile import read_po
from django.utils.translation import to_locale
from pytest_django import Settings

from translations.__main__ import APPS
from translations.extraction import Message, find_messages

LANGUAGE = "en-xa"  # usual for pseudo-locales; Django has no catalog of it
_ARGUMENT = re.compile(r"(%\([^)]*\)[a-z]|%[sd]|(?<!\{)\{[^{}]*\}(?!\}))")  # {{ and }} are braces
_MARKED = re.compile(r"⟦[^⟦⟧]*⟧")
_WORD = re.compile(r"[^\W\d_]{2,}")
_SHOWN_ATTRIBUTES = {"alt", "aria-label", "content", "label", "placeholder", "title"}
_EMPTY_ELEMENTS = {"br", "col", "hr", "img", "input", "link", "meta", "source", "wbr"}
_WITHOUT_TEXT = {"script", "style"}

Forms = str | tuple[str, ...]
Translations = Mapping[str | tuple[str, str], Forms]  # by message, or by its singular and plural


def write_catalog(folder: Path, language: str, translations: Translations) -> None:
    """Compile the catalog of a language into a folder of `LOCALE_PATHS`. Languages have the plurals of English."""
    catalog = Catalog(locale="en", fuzzy=False)
    for message, translation in translations.items():
        catalog.add(message, translation)
    _compile(catalog, folder, language)


def _compile(catalog: Catalog, folder: Path, language: str) -> None:
    path = folder / to_locale(language) / "LC_MESSAGES" / "django.mo"
    path.parent.mkdir(parents=True)
    with path.open("wb") as file:
        write_mo(file, catalog)


def write_pseudo_catalog(folder: Path, *apps: Path) -> None:
    """Compile a catalog that puts the words of each message of the apps between ⟦ and ⟧, but not its arguments."""
    catalog = Catalog(locale="en", fuzzy=False)
    for app in apps:
        for message in find_messages(app):
            catalog.add(message.id, _marked_forms(message), context=message.context)
    _compile(catalog, folder, LANGUAGE)


def mark_messages(settings: Settings, folder: Path) -> None:
    """Use a catalog in which the messages of all apps are marked, and those of Django's own pages and forms."""
    write_pseudo_catalog(folder, *APPS)
    _add_messages_of_django(folder)
    settings.LOCALE_PATHS, settings.LANGUAGE_CODE, settings.LANGUAGES = [folder], LANGUAGE, [(LANGUAGE, "marked")]


def _add_messages_of_django(folder: Path) -> None:
    path = folder / to_locale(LANGUAGE) / "LC_MESSAGES" / "django.mo"
    with path.open("rb") as file:
        catalog = read_mo(file)
    for app in ("conf", "contrib/admin"):
        with (Path(django.__path__[0]) / app / "locale/en/LC_MESSAGES/django.po").open("rb") as file:
            for entry in read_po(file):
                if entry.id and entry.id not in catalog:
                    singular, plural = (entry.id, None) if isinstance(entry.id, str) else entry.id
                    catalog.add(entry.id, _marked_forms(Message(singular, plural, "")), context=entry.context)
    with path.open("wb") as file:
        write_mo(file, catalog)


def words_outside(text: str, allowed: Iterable[str] = ()) -> list[str]:
    """Return the words that are in no message. The allowed regular expressions are removed first."""
    rest = _MARKED.sub(" ", text)
    for pattern in allowed:
        rest = re.sub(pattern, " ", rest)
    return sorted(set(_WORD.findall(rest)))


def page_text(html: str, *, element: str = "content") -> str:
    """Return the texts of the element with this id that a reader sees or hears. Django's own frame is around it."""
    parser = _PageText(element)
    parser.feed(html.replace("<wbr>", ""))  # it separates no words
    return "\n".join(parser.texts)


def _marked_forms(message: Message) -> Forms:
    singular = "".join(_marked(message.singular))
    return singular if message.plural is None else (singular, "".join(_marked(message.plural)))


def _marked(form: str) -> Iterator[str]:
    for number, part in enumerate(_ARGUMENT.split(form)):
        yield part if number % 2 or not part.strip() else f"⟦{part}⟧"


class _PageText(HTMLParser):
    def __init__(self, element: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._element, self._open = element, list[str]()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self._open or ("id", self._element) in attrs:
            self.texts.extend(value for name, value in attrs if name in _SHOWN_ATTRIBUTES and value)
            if tag not in _EMPTY_ELEMENTS:
                self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in self._open:  # with elements inside of it, because HTML lets some end tags out
            del self._open[len(self._open) - 1 - self._open[::-1].index(tag) :]

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] not in _WITHOUT_TEXT and data.strip():
            self.texts.append(data.strip())
