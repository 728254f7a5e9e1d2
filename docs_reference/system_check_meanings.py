"""Meanings of the system checks by id."""

from collections.abc import Mapping

SYSTEM_CHECK_MEANINGS: Mapping[str, str] = {
    "seeder.E001": "A setting is invalid. No command works.",
    "seeder.E002": "A model does not match the contract: a bug or a changed version.",
    "seeder.W003": "A table or column is missing, or the database did not answer.",
    "seeder.W004": "The type or nullability of a column differs. Refreshes may fail.",
    "seeder.E005": "The default database is not PostgreSQL.",
    "seeder.I006": "An optional table is missing. The message names the missing feature.",
    "seeder.W006": "An optional table differs and is not used.",
    "seeder.E007": "A cron expression is invalid or never matches. `watch_queue` does not start.",
    "seeder.E008": "The queue delivers a task again while the first worker still runs it.",
    "seeder.E009": "The queue ends a task before its refresh reaches STATEMENT_TIMEOUT_MS.",
    "seeder.W010": "A worker over its timeout may never be ended.",
    "seeder.W011": "After a pause the queue runs every missed night, one by one.",
    "seeder.W012": "A failed task is delivered again and again.",
    "seeder.W013": "The queue is in Redis, which loses delivered messages if a cluster is killed.",
    "seeder.E014": "A connection pool does not survive in the processes that a cluster forks.",
    "seeder.E015": "AGENCY_SCOPE or AGENCY_MODEL does not exist. No user sees anything.",
    "seeder.E016": (
        "A router sends models of seeder to another database than `default`, which has the locks for their rows. No"
        " refresh starts."
    ),
    "seeder.E017": (
        "An app or a setting needs an extra that is not installed. The message has the command to install it."
    ),
    "seeder.W018": "An environment variable that begins with `SEEDER_` has no effect, such as a misspelt setting.",
    "data_pipeline.E001": "A setting of the loading lane is invalid. Nothing is loaded.",
    "data_pipeline.W001": (
        "An environment variable that begins with `DATA_PIPELINE_` has no effect, such as a misspelt setting."
    ),
    "data_pipeline.I001": "`seeder` is not installed, so no view is refreshed after a load.",
    "data_pipeline.E002": "The `JOB` of a module is malformed. The other jobs work.",
    "data_pipeline.W002": "A job or a package of jobs cannot be used, such as a module that cannot be imported.",
    "data_pipeline.E003": "A dialect in `DIALECT_FOLDERS` is invalid.",
    "data_pipeline.W003": "A folder of `DIALECT_FOLDERS`, `INGEST_ROOTS` or `UPLOAD_ROOT` does not exist.",
    "data_pipeline.I002": "The API is served, but uploads have no place. They are answered with 503.",
    "data_pipeline.E004": "The default database is not PostgreSQL.",
    "data_pipeline.E005": "A schedule of a pipeline is invalid. `watch_queue` does not start.",
    "data_pipeline.W004": "The cache of statistics is in Redis, but its client is not installed. Nothing is cached.",
    "data_pipeline.E006": "ROI_VIEW_NAME is not one of ROI_VIEWS_ALLOWED. The statistic `roi` and scores do not work.",
}
