"""Output of commands and messages of the API in German, with a small catalog."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import translation
from pytest_django import Settings
from rest_framework.test import APIClient

from seeder.domain.human_format import format_count, format_duration
from seeder.models import RunHistory
from seeder.services.translation import translated
from seeder.texts import Text
from tests.acceptance.api_clients import ROOT
from tests.acceptance.terminal_output import plain_text, run_on_terminal
from tests.conftest import CompletedCommand, create_custom_manifest
from tests.pseudo_locale import Translations, write_catalog

Manage = Callable[..., CompletedCommand]

GERMAN: Translations = {
    "created": "angelegt",
    "failed": "fehlgeschlagen",
    "view": "Sicht",
    "{seconds:.2f} s": "{seconds:.2f} Sek.",
    "{outcome} after {duration}: {message}": "nach {duration} {outcome}: {message}",
    "run {run_id}: {views}, {workers}": "Lauf {run_id}: {workers} für {views}",
    ("{number:,} row", "{number:,} rows"): ("{number:,} Zeile", "{number:,} Zeilen"),
    ("{number:,} view", "{number:,} views"): ("{number:,} Sicht", "{number:,} Sichten"),
    ("{number:,} worker", "{number:,} workers"): ("{number:,} Arbeiter", "{number:,} Arbeiter"),
    "Refresh every enabled report of every agency.": "Aktualisiert jeden aktiven Bericht.",
    "show the plan and change nothing": "zeigt den Plan",
    "examples:": "Beispiele:",
    "No manifest names the agency {slug!r}.{suggestion}": "Kein Manifest nennt die Behörde {slug!r}.{suggestion}",
    "Unknown parameter. Allowed: {names}.": "Unbekannter Parameter. Erlaubt: {names}.",
    "Not found.": "Keine solche Seite.",
    "Invalid cursor. Use the one from `next` or `previous` of another page.": "Ungültiger Cursor.",
}


@pytest.fixture
def german_catalog(tmp_path: Path, settings: Settings) -> None:
    write_catalog(tmp_path, "de", GERMAN)
    settings.LOCALE_PATHS = [tmp_path]


@pytest.fixture
def reports(contract_tables: None) -> None:
    create_custom_manifest("reporting.a", "SELECT generate_series(1, 1204) AS n")
    create_custom_manifest("reporting.b", "SELECT 1 / 0 AS n")


def test_output_is_in_the_language_of_the_settings(
    manage: Manage, reports: None, german_catalog: None, settings: Settings
) -> None:
    english = manage("refresh_all", "--dry-run", "--json").document
    settings.LANGUAGE_CODE = "de"
    assert manage("refresh_all", "--dry-run", "--json").document == english
    lines = manage("refresh_all").out.splitlines()
    assert re.fullmatch(r"Lauf \S+: \d Arbeiter für 2 Sichten", lines[0])
    assert re.search(r"reporting\.a: angelegt, 1\.204 Zeilen, \d+ kB, \d+,\d\d Sek\.$", "\n".join(lines), re.MULTILINE)
    assert re.search(r"b: nach \d+,\d\d Sek\. fehlgeschlagen: division_by_zero: ", "\n".join(lines))
    stored = RunHistory.objects.get(table_name="reporting.b").errors
    assert stored is not None
    assert stored.startswith("division by zero")


def test_numbers_have_the_digits_of_english(german_catalog: None) -> None:
    duration = format_duration(timedelta(seconds=1.567))
    assert translated(duration) == duration == "1.57 s"
    with translation.override("de"):
        assert translated(duration) == "1,57 Sek."
        assert translated(format_count(1_204_000, "row")) == "1.204.000 Zeilen"
        assert translated(Text("{share:+.1%} of {number:,.1f}", share=0.12567, number=1204)) == "+12,6\xa0% of 1.204,0"


@pytest.mark.parametrize(("language", "months"), [("en", "Nov Dec"), ("de", "Nov Dez"), ("es", "nov dic")])
def test_months_are_written_as_in_the_language(language: str, months: str) -> None:
    with translation.override(language):
        text = Text("{a:%b} {b:%b}", a=datetime(2026, 11, 30, tzinfo=UTC), b=datetime(2026, 12, 1, tzinfo=UTC))
        assert translated(text) == months


def test_terminal_aligns_translated_words(reports: None, german_catalog: None, settings: Settings) -> None:
    settings.LANGUAGE_CODE = "de"
    _, drawn = run_on_terminal("refresh_all")
    ended = [line for line in plain_text(drawn).splitlines() if re.search(r"\[\d/2\]", line)]
    assert len({line.index("reporting.") for line in ended}) == 1
    assert any(re.search(r"\] +angelegt {8}reporting\.a +1\.204 Zeilen +\d,\d\d Sek\.$", line) for line in ended)
    _, table = run_on_terminal("refresh_all", "--dry-run")
    assert "Sicht" in plain_text(table).splitlines()[1]


def test_errors_and_help_are_translated_and_error_documents_not(
    manage: Manage, contract_tables: None, german_catalog: None, settings: Settings
) -> None:
    settings.LANGUAGE_CODE = "de"
    assert "Kein Manifest nennt die Behörde 'nowhere'." in manage("refresh_agency", "nowhere").err
    error = manage("refresh_agency", "nowhere", "--json").document
    assert error["detail"] == "No manifest names the agency 'nowhere'."
    shown = manage("refresh_all", "--help").out
    assert "\nAktualisiert jeden aktiven Bericht.\n" in shown
    assert re.search(r"--dry-run +zeigt den Plan\n", shown)
    assert "\nBeispiele:\n  manage.py refresh_all" in shown


def test_api_messages_are_in_the_language_of_the_request(reader: APIClient, german_catalog: None) -> None:
    def problem(language: str, path: str = "", **parameters: str) -> tuple[str, str, str]:
        answer = reader.get(f"{ROOT}agencies/{path}", parameters, headers={"Accept-Language": language})
        assert answer["Content-Language"] == language
        document = json.loads(answer.content)
        return document["code"], document["title"], document["detail"]

    code, title = "validation_error", "Validation error"
    assert problem("en", sort="a") == (code, title, "sort: Unknown parameter. Allowed: pageSize, cursor.")
    assert problem("de", sort="a") == (code, title, "sort: Unbekannter Parameter. Erlaubt: pageSize, cursor.")
    assert problem("de", cursor="x")[2] == "cursor: Ungültiger Cursor."
    assert problem("de", pageSize="0")[2].startswith("pageSize: Stelle sicher, ")  # from REST framework
    assert problem("de", "nowhere/") == ("not_found", "Not found", "Keine solche Seite.")


def test_document_and_its_tag_are_the_same_in_each_language(reader: APIClient, german_catalog: None) -> None:
    def answers(language: str, **headers: str) -> Any:
        return reader.get(f"{ROOT}agencies/", headers={"Accept-Language": language, **headers})

    german, english = answers("de"), answers("en")
    assert (german.content, german["ETag"]) == (english.content, english["ETag"])
    assert "Accept-Language" in german["Vary"]
    unchanged = answers("de", **{"If-None-Match": english["ETag"]})
    assert unchanged.status_code == 304
    assert {one["Content-Language"] for one in (german, english, unchanged)} == {"en"}


@pytest.mark.usefixtures("empty_queue", "reports", "german_catalog")
def test_document_of_a_write_is_english() -> None:
    client = APIClient()
    client.force_authenticate(User(username="root", is_superuser=True, is_active=True))
    queued = client.post(f"{ROOT}agencies/demo/refresh/", headers={"Accept-Language": "de"})
    assert (queued.status_code, queued["Content-Language"]) == (202, "en")
