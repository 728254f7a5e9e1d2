import pytest

from seeder.errors import ConfigurationError, UnknownAgency


def test_message_is_the_docstring_filled_with_facts() -> None:
    error = ConfigurationError(setting="SEEDER_MAX_WORKERS", value="lots", expected="a whole number of at least 1")
    assert str(error) == "SEEDER_MAX_WORKERS is 'lots', but must be a whole number of at least 1."


def test_braces_in_a_fact_are_plain_text() -> None:
    assert "'{slug} {0} {'" in str(UnknownAgency(slug="{slug} {0} {", suggestion=""))


def test_message_without_docstrings_lists_the_facts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(UnknownAgency, "__doc__", None)
    assert str(UnknownAgency(slug="x{", suggestion="")) == "UnknownAgency slug='x{' suggestion=''"
