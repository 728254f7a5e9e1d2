from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.cache import cache
from pytest_django import Settings

from tests.acceptance import api_clients
from tests.acceptance.data_pipeline import api_scene


@pytest.fixture
def api_loads(load_tables: None, empty_queue: None, tmp_path: Path, settings: Settings) -> Iterator[Path]:
    """Create loads of two agencies, and return the folder of their files. The last name of a user has the agencies."""
    settings.SEEDER = {"AGENCY_SCOPE": "tests.acceptance.api_clients.scope_by_last_name"}
    cache.clear()
    api_scene.create_loads(tmp_path)
    yield tmp_path
    api_clients.delete_users()
