"""Loads files and records into PostgreSQL, each exactly once.

After a load, the views that depend on its table are refreshed. The public functions are imported on first use, so that
importing this package imports no Django.
"""

from importlib import import_module
from typing import Any

_PUBLIC = {
    "AsyncHTTPClient": "data_pipeline.http.async_client",
    "CronSchedule": "seeder.domain.cron_schedule",
    "HTTPClient": "data_pipeline.http.client",
    "RetryConfig": "data_pipeline.http.retrying",
    "RowModel": "data_pipeline.domain.row_models",
    "aretry": "data_pipeline.http.retrying",
    "build_payload_meta": "data_pipeline.domain.payload_meta",
    "compute_idempotency_key": "data_pipeline.domain.idempotency_keys",
    "dry_run": "data_pipeline.services.dry_run",
    "get_s3_client_config": "data_pipeline.storage.s3",
    "get_s3_client_kwargs": "data_pipeline.storage.s3",
    "load_file": "data_pipeline.services.load_file",
    "normalize_currency": "data_pipeline.domain.normalizing",
    "parse_date": "data_pipeline.domain.normalizing",
    "parse_decimal": "data_pipeline.domain.normalizing",
    "process_once": "data_pipeline.services.process_once",
    "record_etl_batch": "data_pipeline.services.load_metrics",
    "record_etl_normalizing": "data_pipeline.services.load_metrics",
    "record_etl_retry": "data_pipeline.services.load_metrics",
    "record_etl_run": "data_pipeline.services.load_metrics",
    "record_etl_skip": "data_pipeline.services.load_metrics",
    "retry": "data_pipeline.http.retrying",
}

__all__ = list(_PUBLIC)  # the names above are the only list


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_PUBLIC[name]), name)
