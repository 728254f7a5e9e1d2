"""Fixtures for tests of pipelines: their empty tables, and the settings of a local API."""

from collections.abc import Callable

import pytest

from tests.load_fixtures import empty_tables
from tests.scripted_http import ScriptedServer


@pytest.fixture
def pipeline_tables(load_tables: None) -> None:
    """The tables of the pipelines, and those of loads, all empty."""
    empty_tables("rates", "prices", "vendors", "fees", "freight_rates", "returns_raw")


@pytest.fixture
def use_api(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, ScriptedServer], None]:
    """Let an integration call a local server, and repeat calls without waiting: `use_api("helium10", server)`."""

    def configure(integration: str, server: ScriptedServer) -> None:
        prefix = integration.upper()
        monkeypatch.setenv(f"{prefix}_BASE_URL", server.url)
        monkeypatch.setenv(f"{prefix}_BACKOFF_BASE_S", "0")
        monkeypatch.setenv(f"{prefix}_BACKOFF_JITTER_S", "0")
        monkeypatch.setenv("DATA_PIPELINE_PRIVATE_HOSTS", server.url.removeprefix("http://"))

    return configure
