"""Test-only catalogs: of a few messages, or of all, each between ⟦ and ⟧."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from django.utils.translation import to_locale

from translations.extraction import Message, find_messages

LANGUAGE = "en-xa"  # usual for pseudo-locales; Django has no catalog of it
_MARKED = re.compile(r"⟦[^⟦⟧]*⟧")
_WORD = re.compile(r"[^\W\d_]{2,}")

Forms = str | tuple[str, ...]
Translations = Mapping[str | tuple[str, str], Forms]  # by message, or by its singular and plural


def write_catalog(folder: Path, language: str, translations: Translations) -> None:
    """Compile the catalog of a language into a folder of `LOCALE_PATHS`. Languages have the plurals of English."""
    catalog = Catalog(locale="en", fuzzy=False)
    for message, translation in translations.items():
        catalog.add(message, translation)
    path = folder / to_locale(language) / "LC_MESSAGES" / "django.mo"
    path.parent.mkdir(parents=True)
    with path.open("wb") as file:
        write_mo(file, catalog)


def write_pseudo_catalog(folder: Path, *apps: Path) -> None:
    """Compile a catalog that puts each message of the apps between ⟦ and ⟧."""
    messages = (message for app in apps for message in find_messages(app))
    write_catalog(folder, LANGUAGE, {message.id: _marked(message) for message in messages})


def _marked(message: Message) -> Forms:
    forms = [message.singular] if message.plural is None else [message.singular, message.plural]
    marked = tuple(f"⟦{form}⟧" for form in forms)
    return marked[0] if message.plural is None else marked


def words_outside(text: str, allowed: Iterable[str]) -> set[str]:
    """Return the words that are in no message and not allowed. Each allowed text is a regular expression."""
    for pattern in allowed:
        text = re.sub(pattern, " ", text)
    while (inner := _MARKED.sub(" ", text)) != text:  # a message can have others as arguments
        text = inner
    return set(_WORD.findall(text))
