"""The hints that the system checks print, by check id."""

from collections.abc import Mapping

_JOBS = "See docs/how-to/add-a-job.md. `data-pipeline list` has the jobs that can be used."

# The letter of an id is the level: Error, Warning or Information. docs/reference/checks.md has the meanings.
SYSTEM_CHECK_HINTS: Mapping[str, str] = {
    "data_pipeline.E001": "Correct the setting.",
    "data_pipeline.W001": "Correct the variable's name, or remove the variable.",
    "data_pipeline.I001": "Add 'seeder' to INSTALLED_APPS, or set REFRESH_AFTER_LOAD to False.",
    "data_pipeline.E002": _JOBS,
    "data_pipeline.W002": _JOBS,
    "data_pipeline.E003": "Correct the file of the dialect.",
    "data_pipeline.W003": "Create the folder, or correct DIALECT_FOLDERS, INGEST_ROOTS or UPLOAD_ROOT.",
    "data_pipeline.I002": "Set UPLOAD_ROOT or UPLOAD_BUCKET. See docs/how-to/upload-files.md.",
    "data_pipeline.E004": "Set DATABASES['default'] to PostgreSQL.",
    "data_pipeline.E005": "Correct the setting, then run `manage.py schedule_pipelines`.",
    "data_pipeline.W004": "Install the extra, or set STATS_ENABLE_CACHE to False.",
    "data_pipeline.E006": "Correct ROI_VIEW_NAME, or add the view to ROI_VIEWS_ALLOWED.",
}
