"""Catalogs of an app: one per language, as PO for translators and as MO for Django."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from string import Formatter

from babel.messages.catalog import Catalog
from babel.messages.catalog import Message as Entry
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from translations.extraction import Message

LANGUAGES = ("de", "es")
_DJANGO_ARGUMENT = re.compile(r"%\(\w+\)[a-z]")
_DATE = re.compile("%-?[a-zA-Z]")
_NO_TIME = datetime(2026, 1, 1, tzinfo=UTC)  # equal messages give equal files


def catalog_path(app: Path, language: str) -> Path:
    return app / "locale" / language / "LC_MESSAGES" / "django.po"


def load(path: Path, language: str) -> Catalog:
    """Load a catalog. A new one is empty."""
    if not path.exists():
        return Catalog(locale=language)
    with path.open("rb") as file:
        return read_po(file, locale=language)


def merged(old: Catalog, messages: Iterable[Message], language: str) -> Catalog:
    """Return the catalog for these messages, with the translations of the old one.

    Each message keeps its own translation only. A similar one would be a guess.
    """
    catalog = Catalog(
        locale=language,
        project="reporting-seeder",
        version="unreleased",
        header_comment="# Kept up to date by `python -m translations`.",
        creation_date=_NO_TIME,
        revision_date=_NO_TIME,
        last_translator="reporting-seeder",
        msgid_bugs_address="reporting-seeder",
        fuzzy=False,
    )
    for message in messages:
        known = old.get(message.id, message.context)
        known_string = known.string if known else ""
        catalog.add(message.id, known_string, locations=[(message.place, 0)], context=message.context)
    return catalog


def save(catalog: Catalog, path: Path) -> None:
    """Write a catalog as PO and as MO."""
    path.parent.mkdir(parents=True, exist_ok=True)
    buffer = BytesIO()
    write_po(buffer, catalog, width=120, omit_header=False, sort_by_file=True, include_lineno=False)
    path.write_bytes(buffer.getvalue())
    with path.with_suffix(".mo").open("wb") as file:
        write_mo(file, catalog)


def problems(catalog: Catalog) -> Iterable[str]:
    """Yield what is missing in a catalog, or has other arguments or formats than its message."""
    for entry in catalog:
        if entry.id and (problem := _problem(entry, catalog.num_plurals)):
            yield f"{problem}: {entry.id!r}"


def _problem(entry: Entry, plural_count: int) -> str | None:
    forms = [entry.string or ""] if isinstance(entry.string, str | None) else list(entry.string)
    if entry.pluralizable and len(forms) != plural_count:
        return f"{len(forms)} of {plural_count} forms"
    if not all(forms):
        return "not translated"
    sources = [entry.id] if isinstance(entry.id, str) else list(entry.id)
    allowed = set().union(*map(_arguments, sources))
    if any(_arguments(form) - allowed for form in forms) or (len(forms) == 1 and _arguments(forms[0]) != allowed):
        return "other arguments"
    return None


def _arguments(text: str) -> set[str]:
    """Return the arguments of a template of `str.format`, or of Django's `%(name)s`, with their formats.

    Languages write dates differently, so that the format of a date is none.
    """
    if "%(" in text:
        return set(_DJANGO_ARGUMENT.findall(text))
    return {
        f"{name}!{conversion}:{'' if _DATE.search(spec or '') else spec}"
        for _, name, spec, conversion in Formatter().parse(text)
        if name is not None
    }
