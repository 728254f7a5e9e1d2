"""Loads one file into a table, exactly once."""

from datetime import datetime
from typing import Unpack

from django.db import DEFAULT_DB_ALIAS

from data_pipeline.models import LoadLog
from data_pipeline.postgres.error_translation import translate_errors
from data_pipeline.services.chunk_loader import ProgressListener
from data_pipeline.services.file_loader import FileLoader
from data_pipeline.services.load_options import AUTO, GivenOptions, Loaded, LoadOptions


def load_file(
    source_uri: str,
    *,
    using: str = DEFAULT_DB_ALIAS,
    task_id: str | None = None,
    refresh_here: bool = True,
    on_progress: ProgressListener = lambda _: None,
    **options: Unpack[GivenOptions],
) -> Loaded:
    """Load a file into a table, unless it was loaded before.

    Everything commits together: rows, outcome, rejects, and the request to refresh the dependent views. A file that
    exceeds the limits of rejected records leaves no row. After the commit, the refresh is queued. With `refresh_here`,
    a host without a queue refreshes the views before this returns.

    Raises `TooManyRejects`, other errors of `data_pipeline.errors`, or those of the database.
    """
    return load_with_options(
        source_uri,
        LoadOptions.from_given(options),
        using=using,
        task_id=task_id,
        refresh_here=refresh_here,
        on_progress=on_progress,
    )


def load_with_options(  # noqa: PLR0913  # facts of one load
    source_uri: str,
    options: LoadOptions,
    *,
    using: str = DEFAULT_DB_ALIAS,
    task_id: str | None = None,
    forced_at: datetime | None = None,
    refresh_here: bool = True,
    on_progress: ProgressListener = lambda _: None,
) -> Loaded:
    """Load a file as `load_file` does. A forced load with the same time `forced_at` is the same load."""
    with translate_errors(using):
        load = FileLoader(source_uri, options, using, on_progress, forced_at=forced_at)
        return load.run(task_id, refresh_here=refresh_here)


def find_load(
    source_uri: str, *, table: str = AUTO, dialect: str | None = None, using: str = DEFAULT_DB_ALIAS
) -> LoadLog | None:
    """Return the present load of a file, in any status.

    Without one, `load_file` would begin it.
    """
    options = LoadOptions(table=table, dialect=dialect)
    with translate_errors(using):
        return FileLoader(source_uri, options, using, lambda _: None).find()
