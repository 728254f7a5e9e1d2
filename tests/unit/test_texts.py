"""Texts are their English sentence, and can be shown in another language."""

import json
import pickle
from copy import copy, deepcopy
from typing import ClassVar

from seeder.errors import UnknownAgency
from seeder.texts import OneLineText, Text


class German:
    """A catalog with a few messages."""

    messages: ClassVar = {
        "{view} waited {duration}": "{duration} lang wartete {view}",
        "{seconds:.2f} s": "{seconds:.2f} Sek.",
        "failed": "fehlgeschlagen",
        "data check: failed": "nicht bestanden",
        "views: {number:,} late": "{number:,} verspätet",
        "No manifest names the agency {slug!r}.{suggestion}": "Kein Manifest nennt die Behörde {slug!r}.{suggestion}",
    }

    def gettext(self, message: str, context: str | None = None) -> str:
        return self.messages.get(f"{context}: {message}" if context else message, message)

    def ngettext(self, singular: str, plural: str, number: int, context: str | None = None) -> str:
        form = singular if number == 1 else plural
        return self.messages.get(f"{context}: {form}", form.replace("views", "Sichten").replace("view", "Sicht"))

    def localize(self, value: object, spec: str) -> str:
        return format(value, spec).translate(str.maketrans(",.", ".,"))


def translated(text: str) -> str:
    assert isinstance(text, Text)
    return text.translated(German())


def test_text_is_its_english_sentence() -> None:
    text = Text("{view} waited {duration}", view="a", duration=Text("{seconds:.2f} s", seconds=1.5))
    assert text == "a waited 1.50 s"
    assert json.dumps([text]) == '["a waited 1.50 s"]'
    assert type(str(text)) is Text


def test_copies_keep_the_template() -> None:
    text = Text("{name} failed", name="{a}")
    for copied in (deepcopy(text), copy(text), pickle.loads(pickle.dumps(text))):  # noqa: S301  # our own bytes
        assert copied == "{a} failed"
        assert copied.template == "{name} failed"


def test_arguments_are_translated_and_their_numbers_localized() -> None:
    text = Text("{view} waited {duration}", view="{a}", duration=Text("{seconds:.2f} s", seconds=1.5))
    assert translated(text) == "1,50 Sek. lang wartete {a}"
    assert translated(Text("no such message: {one}", one="x")) == "no such message: x"


def test_context_decides_between_equal_words() -> None:
    run, check = Text("failed"), Text.in_context("data check", "failed")
    assert run == check == "failed"
    assert [*map(translated, (run, check, deepcopy(check)))] == ["fehlgeschlagen", "nicht bestanden", "nicht bestanden"]


def test_number_decides_the_form() -> None:
    counted = [Text.counted("{number:,} view", "{number:,} views", number) for number in (1, 2000)]
    assert counted == ["1 view", "2,000 views"]
    assert [*map(translated, counted)] == ["1 Sicht", "2.000 Sichten"]
    assert translated(Text.joined(counted, " and ")) == "1 Sicht and 2.000 Sichten"


def test_counted_text_in_a_context_takes_another_number() -> None:
    late = Text.counted_in_context("views", "{number:,} late", "{number:,} late", 0)
    assert late.with_number(2000) == "2,000 late"
    assert translated(late.with_number(2000)) == "2.000 verspätet"


def test_message_of_an_error_is_a_text_in_one_line() -> None:
    text = str(UnknownAgency(slug="a", suggestion="\n Or  b?"))
    assert text == "No manifest names the agency 'a'. Or b?"
    assert translated(text) == "Kein Manifest nennt die Behörde 'a'. Or b?"
    assert isinstance(text, OneLineText)
