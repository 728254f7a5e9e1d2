"""The system checks of the loading lane."""

from importlib.util import find_spec
from pathlib import Path

import pytest
from django.core import checks
from pytest_django import Settings

from data_pipeline.checks import (
    check_folders,
    check_roi_view,
    check_seeder,
    check_settings,
    check_statistics_cache,
    check_uploads,
)


def ids(messages: object) -> list[str | None]:
    assert isinstance(messages, list)
    return [message.id for message in messages if isinstance(message, checks.CheckMessage)]


def test_invalid_setting_is_an_error(settings: Settings) -> None:
    settings.DATA_PIPELINE = {"MAX_REJECTS": "many"}
    assert ids(check_settings()) == ["data_pipeline.E001"]
    assert ids(check_folders()) == []


def test_missing_folder_is_a_warning(settings: Settings, tmp_path: Path) -> None:
    settings.DATA_PIPELINE = {"DIALECT_FOLDERS": [str(tmp_path / "a")], "INGEST_ROOTS": [str(tmp_path)]}
    assert ids(check_folders()) == ["data_pipeline.W003"]


def test_invalid_dialect_is_an_error(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "broken.toml").write_text("mode = 'sometimes'")
    (tmp_path / "good.toml").write_text("mode = 'append'")
    settings.DATA_PIPELINE = {"DIALECT_FOLDERS": [str(tmp_path)]}
    [message] = check_folders()
    assert (message.id, "broken" in message.msg) == ("data_pipeline.E003", True)


def test_host_without_seeder_gets_an_information(settings: Settings) -> None:
    settings.INSTALLED_APPS = [app for app in settings.INSTALLED_APPS if app != "seeder"]
    assert ids(check_seeder()) == ["data_pipeline.I001"]


def test_roi_view_outside_of_the_allowed_ones_is_an_error(settings: Settings) -> None:
    assert ids(check_roi_view()) == []
    settings.DATA_PIPELINE = {"ROI_VIEW_NAME": "load_log"}
    [message] = check_roi_view()
    assert (message.id, "'load_log'" in message.msg) == ("data_pipeline.E006", True)
    settings.DATA_PIPELINE = {"ROI_VIEW_NAME": "load_log", "ROI_VIEWS_ALLOWED": "load_log, v_roi_full"}
    assert ids(check_roi_view()) == []


def test_api_without_a_place_for_uploads_is_information(settings: Settings) -> None:
    settings.DATA_PIPELINE = {}
    assert ids(check_uploads()) == ["data_pipeline.I002"]
    settings.DATA_PIPELINE = {"UPLOAD_BUCKET": "uploads"}
    assert ids(check_uploads()) == []
    settings.DATA_PIPELINE, settings.ROOT_URLCONF = {}, "django.contrib.auth.urls"
    assert ids(check_uploads()) == []


def test_missing_client_of_redis_is_a_warning(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("seeder.services.extras.find_spec", lambda name: None if name == "redis" else find_spec(name))
    settings.DATA_PIPELINE = {"STATS_ENABLE_CACHE": True}
    assert ids(check_statistics_cache()) == []
    settings.DATA_PIPELINE = {"STATS_ENABLE_CACHE": True, "CACHE_REDIS_URL": "redis://:secret@cache"}
    [message] = check_statistics_cache()
    assert (message.id, "secret" in message.msg) == ("data_pipeline.W004", False)
