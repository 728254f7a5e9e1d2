"""System checks of the loading lane.

`domain.system_check_hints` has their hints.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings as host_settings
from django.core import checks
from django.db import connection
from django.urls import NoReverseMatch, reverse

from data_pipeline import conf
from data_pipeline.domain.system_check_hints import SYSTEM_CHECK_HINTS
from data_pipeline.job_errors import JobError, MalformedJob
from data_pipeline.stats_errors import InvalidROIViewError
from seeder.errors import ConfigurationError
from seeder.services import extras


@checks.register
def check_settings(**_: Any) -> Sequence[checks.CheckMessage]:
    """Return E001 for an invalid setting."""
    try:
        conf.load()
    except ConfigurationError as error:
        return [_message("data_pipeline.E001", str(error))]
    return []


@checks.register
def check_environment(**_: Any) -> Sequence[checks.CheckMessage]:
    """Return W001 for each environment variable that only looks like a setting."""
    return [_message("data_pipeline.W001", message) for _, message in conf.ignored_variables()]


@checks.register
def check_seeder(**_: Any) -> Sequence[checks.CheckMessage]:
    """Return I001 if no view is refreshed, because `seeder` is not installed."""
    if apps.is_installed("seeder"):
        return []
    return [_message("data_pipeline.I001", "Loads refresh no views: 'seeder' is not installed.")]


@checks.register
def check_jobs(**_: Any) -> Sequence[checks.CheckMessage]:
    """Return E002 for a malformed `JOB`, and W002 for other unusable jobs.

    Nothing is returned if E001 applies.
    """
    from data_pipeline.services.job_discovery import find_job_packages  # few commands run checks

    return [] if check_settings() else [_job_message(error) for error in find_job_packages().load_all()[1]]


@checks.register
def check_folders(**_: Any) -> Sequence[checks.CheckMessage]:
    """Return E003 for each invalid dialect, and W003 for each missing folder.

    Nothing is returned if E001 applies.
    """
    from data_pipeline.domain.dialect_search import check_dialects  # few commands run checks

    if check_settings():
        return []
    settings = conf.load()
    folders = (*settings.dialect_folders, *settings.ingest_roots, *filter(None, [settings.upload_root]))
    missing = [folder for folder in folders if not Path(folder).is_dir()]
    return [
        *(_message("data_pipeline.W003", f"There is no folder {folder}.") for folder in missing),
        *(
            _message("data_pipeline.E003", str(error))
            for error in check_dialects(map(Path, settings.dialect_folders))[1]
        ),
    ]


@checks.register
def check_uploads(**_: Any) -> Sequence[checks.CheckMessage]:
    """Return I002 if the API can store no upload.

    Nothing if E001 applies or the API is not served.
    """
    if check_settings() or not _serves_api():
        return []
    settings = conf.load()
    if settings.upload_root or settings.upload_bucket:
        return []
    return [_message("data_pipeline.I002", "Uploads are refused: neither UPLOAD_ROOT nor UPLOAD_BUCKET is set.")]


@checks.register
def check_schedules(**_: Any) -> Sequence[checks.CheckMessage]:
    """Return E005 for each setting that cannot be scheduled.

    Nothing if E001 applies or there is no queue.
    """
    from data_pipeline.services.schedules import schedule_problems  # few commands run checks

    if check_settings():
        return []
    return [_message("data_pipeline.E005", str(problem)) for problem in schedule_problems(conf.load())]


@checks.register
def check_roi_view(**_: Any) -> Sequence[checks.CheckMessage]:
    """Return E006 if ROI_VIEW_NAME is not allowed. Nothing if E001 applies."""
    from data_pipeline.services.stats.views import current_roi_view  # few commands run checks

    if check_settings():
        return []
    try:
        current_roi_view()
    except InvalidROIViewError as error:
        return [_message("data_pipeline.E006", str(error))]
    return []


@checks.register
def check_statistics_cache(**_: Any) -> Sequence[checks.CheckMessage]:
    """Return W004 if the client of the cache's Redis is missing. Nothing if E001 applies."""
    from data_pipeline.services.stats.cache import REDIS  # few commands run checks

    if check_settings() or not conf.load().stats_enable_cache or not conf.load().stats_redis_url:
        return []
    missing = extras.problem(REDIS, "The cache of statistics (CACHE_REDIS_URL)")
    return [_message("data_pipeline.W004", str(missing))] if missing else []


@checks.register(checks.Tags.models)
def check_database_vendor(**_: Any) -> Sequence[checks.CheckMessage]:
    """Return E004 if the default database is not PostgreSQL."""
    if connection.vendor == "postgresql":
        return []
    return [_message("data_pipeline.E004", "data_pipeline needs a PostgreSQL database as DATABASES['default'].")]


def _serves_api() -> bool:
    """Return whether the host's URLs contain the API. A host for commands only may have none."""
    if not hasattr(host_settings, "ROOT_URLCONF"):
        return False
    try:
        reverse("pipeline-api:upload")
    except NoReverseMatch:
        return False
    return True


def _job_message(error: JobError) -> checks.CheckMessage:
    return _message("data_pipeline.E002" if isinstance(error, MalformedJob) else "data_pipeline.W002", str(error))


def _message(check_id: str, message: str) -> checks.CheckMessage:
    level = {"E": checks.ERROR, "W": checks.WARNING, "I": checks.INFO}[check_id.removeprefix("data_pipeline.")[0]]
    return checks.CheckMessage(level, message, hint=SYSTEM_CHECK_HINTS[check_id], id=check_id)
