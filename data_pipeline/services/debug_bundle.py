"""Writes a zip archive for the analysis of a fault. It has no row of data, no rejected record and no secret."""

import json
import os
import platform
import sys
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, Error, connections

from data_pipeline import conf
from data_pipeline.correction_errors import BundleNotWritten
from data_pipeline.domain.secret_redaction import without_secrets
from data_pipeline.postgres import debug_facts
from seeder.errors import SeederError

_PACKAGES = ("reporting-seeder", "django", "psycopg", "psycopg-binary", "django-q2", "rich", "python-calamine")
_VARIABLES = ("DATA_PIPELINE_", "INGEST_", "SEEDER_", "HTTP_", "S3_", "DB_", "PG", "DJANGO_", "TZ", "LC_", "LANG")
_HOST_SETTINGS = ("INSTALLED_APPS", "DATABASE_ROUTERS", "DATA_PIPELINE", "SEEDER", "Q_CLUSTER", "TIME_ZONE", "USE_TZ")

Collector = Callable[[], object]  # returns what JSON can have


def write_bundle(
    path: Path, *, others: Mapping[str, Collector] | None = None, using: str = DEFAULT_DB_ALIAS
) -> Mapping[str, str | None]:
    """Write the archive, which only this user can read. Return the problem of each file in it, or None.

    `others` are further files. What cannot be collected is left out, because a fault can be the cause.

    Raises `BundleNotWritten` if the file exists or cannot be created.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise BundleNotWritten(path=path, cause=error.strerror or error) from error
    problems = dict[str, str | None]()
    with os.fdopen(descriptor, "wb") as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, collect in {**_collectors(using), **(others or {})}.items():
            document, problems[name] = _collected(collect)
            archive.writestr(name, json.dumps(document, indent=2, ensure_ascii=False, default=str))
    return problems


def _collected(collect: Collector) -> tuple[object, str | None]:
    try:
        return collect(), None
    except (SeederError, Error, OSError) as error:
        problem = str(error).partition("\n")[0] or type(error).__name__
        return {"problem": problem}, problem


def _collectors(using: str) -> Mapping[str, Collector]:
    return {
        "versions.json": _versions,
        "settings.json": _settings,
        "environment.json": _environment,
        "databases.json": _databases,
        "stuck_loads.json": lambda: debug_facts.stuck_loads(using),
        **{f"{table}.json": _table_collector(using, table) for table in debug_facts.TABLES},
    }


def _table_collector(using: str, table: str) -> Collector:
    return lambda: debug_facts.read(using, table)


def _versions() -> Mapping[str, str | None]:
    return {
        "python": sys.version,
        "platform": platform.platform(),
        **{package: _installed(package) for package in _PACKAGES},
    }


def _installed(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _settings() -> Mapping[str, Any]:
    host = {name: without_secrets(name, getattr(settings, name, None)) for name in _HOST_SETTINGS}
    return {"effective": without_secrets("settings", asdict(conf.load())), "host": host}


def _environment() -> Mapping[str, object]:
    names = sorted(name for name in os.environ if name.startswith(_VARIABLES))
    return {name: without_secrets(name, os.environ[name]) for name in names}


def _databases() -> Mapping[str, object]:
    return {alias: without_secrets("database", connections.settings[alias]) for alias in connections}
