"""The dialects of the demo."""

import pytest
from pytest_django import Settings

from settings import local


@pytest.fixture(autouse=True)
def demo_dialects(settings: Settings) -> None:
    settings.DATA_PIPELINE = local.DATA_PIPELINE
