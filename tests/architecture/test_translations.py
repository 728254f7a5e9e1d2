"""The catalogs have every message of the code, translated, and nothing else."""

from argparse import SUPPRESS
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from django.core.management import get_commands, load_command_class
from django.core.management.base import BaseCommand

from seeder.texts import Text
from tests.conftest import CHECKOUT
from translations import catalogs
from translations.__main__ import APPS
from translations.extraction import find_messages

CASES = [pytest.param(app, language, id=f"{app}-{language}") for app in APPS for language in catalogs.LANGUAGES]


@pytest.mark.parametrize(("app", "language"), CASES)
def test_catalog_is_complete_and_compiled(
    app: Path, language: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(CHECKOUT)
    path = catalogs.catalog_path(app, language)
    catalog = catalogs.merged(catalogs.load(path, language), find_messages(app), language)
    assert not list(catalogs.problems(catalog))
    catalogs.save(catalog, tmp_path / "django.po")
    for name in ("django.po", "django.mo"):
        assert (tmp_path / name).read_bytes() == path.with_name(name).read_bytes(), "run `python -m translations`"


@pytest.mark.parametrize("language", catalogs.LANGUAGES)
def test_apps_translate_a_message_in_the_same_way(language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Django merges the catalogs of the apps, so each message has the translation of the first one."""
    monkeypatch.chdir(CHECKOUT)
    merged = dict[object, object]()
    for app in APPS:
        for entry in catalogs.load(catalogs.catalog_path(app, language), language):
            key = entry.id, entry.context
            assert entry.id == "" or merged.setdefault(key, entry.string) == entry.string, entry.id


def test_each_command_has_translatable_help() -> None:
    of_django = {action.dest for action in BaseCommand().create_parser("manage.py", "any")._actions}
    commands = {name: app for name, app in get_commands().items() if app.startswith(("seeder", "data_pipeline"))}
    assert len(commands) > 40
    for name, app in commands.items():
        command = load_command_class(app, name)
        actions = command.create_parser("manage.py", name)._actions
        texts = [action.help for action in actions if action.dest not in of_django and action.help != SUPPRESS]
        assert [one for one in (command.help, *texts) if one and not isinstance(one, Text)] == [], name


def test_translation_keeps_formats_except_those_of_dates() -> None:
    def problems(translation: str) -> list[str]:
        catalog = Catalog(locale="de")
        catalog.add("{n:,} on {at:%b %-d}", translation)
        return list(catalogs.problems(catalog))

    assert problems("{n:,} am {at:%-d. %b}") == []
    assert problems("{n} am {at:%b %-d}") == ["other arguments: '{n:,} on {at:%b %-d}'"]
