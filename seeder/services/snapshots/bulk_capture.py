"""Parallel capture of every requested view under one release.

A view that fails does not stop the others.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed, wait
from dataclasses import dataclass

from django.db import DEFAULT_DB_ALIAS, connections

from seeder import conf
from seeder.domain.manifests import Selection, ViewKey
from seeder.domain.refresh_requests import RefreshRequest
from seeder.domain.snapshots.snapshot_contents import Release, Snapshot
from seeder.domain.suggestions import did_you_mean
from seeder.domain.view_names import ViewName
from seeder.errors import ColumnInNoView, DatabaseError, NothingToCapture, SeederError
from seeder.postgres import catalog
from seeder.postgres.sqlstates import translate_database_errors
from seeder.services import manifest_selection
from seeder.services.snapshots.parallel_column_count import CANCEL_INTERVAL, CaptureOptions
from seeder.services.snapshots.release_snapshots import capture, require_one_view


@dataclass(frozen=True, kw_only=True, slots=True)
class CaptureResult:
    """The result of capturing one view."""

    table_name: str
    snapshot: Snapshot | None = None
    error: str | None = None  # set if the capture failed


def capture_all(
    request: RefreshRequest,
    release: Release,
    *,
    top_values_columns: frozenset[str] = frozenset(),
    approximate: bool = False,
    on_progress: Callable[[CaptureResult, int, int], object] = lambda *_: None,
) -> list[CaptureResult]:
    """Capture every requested view and return the results in order of completion.

    `on_progress` is called in the caller's thread with each result, the number completed and the total.
    Top values are counted only for the columns that a view has.

    Raises `RequestError`, `NothingToCapture`, `ColumnInNoView`, `ConfigurationError` or `DatabaseError`.
    """
    settings = conf.load()
    selection = manifest_selection.select(request, databases=settings.databases)
    if not selection.views and not selection.rejected:
        raise NothingToCapture(request=str(request))
    _require_columns(top_values_columns, request, selection)
    keys_by_name: dict[ViewName, list[ViewKey]] = defaultdict(list)
    for spec in selection.views:
        keys_by_name[spec.key.name].append(spec.key)
    total = len(keys_by_name) + len(selection.rejected)
    ended: list[CaptureResult] = []

    def add(result: CaptureResult) -> None:
        ended.append(result)
        on_progress(result, len(ended), total)

    for rejected in selection.rejected:
        add(CaptureResult(table_name=rejected.manifest.table_name, error=rejected.message))
    options = CaptureOptions(
        settings=settings, release=release, top_values_columns=top_values_columns, strict=False, approximate=approximate
    )
    with ThreadPoolExecutor(max_workers=settings.snapshot_connections) as pool:
        futures = [pool.submit(_capture, name, keys, options) for name, keys in keys_by_name.items()]
        try:
            for future in as_completed(futures):
                add(future.result())
        except BaseException as interrupt:
            options.stop.request(f"{type(interrupt).__name__} {interrupt}".strip())
            pool.shutdown(wait=False, cancel_futures=True)
            while unfinished := [one for one in futures if not one.done()]:
                options.in_flight.cancel_all()  # repeated because a cancel between two statements has no effect
                wait(unfinished, timeout=CANCEL_INTERVAL)
            raise
    return ended


def _require_columns(top: frozenset[str], request: RefreshRequest, selection: Selection) -> None:
    """Raise `ColumnInNoView` for a column that no view has.

    Skips the check if a database is unavailable, because its views may have the column.
    """
    if not top:
        return
    known: set[str] = set()
    for database in {spec.key.database for spec in selection.views}:
        names = [spec.key.name for spec in selection.views if spec.key.database == database]
        try:
            with translate_database_errors(database):
                known |= {column for _, column, *_ in catalog.columns(database, names)}
        except DatabaseError:
            return
    for column in sorted(top - known) if known else ():
        raise ColumnInNoView(request=str(request), column=column, suggestion=did_you_mean(column, known))


def _capture(name: ViewName, keys: Sequence[ViewKey], options: CaptureOptions) -> CaptureResult:
    try:
        return CaptureResult(table_name=str(name), snapshot=capture(require_one_view(name, keys), options))
    except SeederError as error:
        if isinstance(error, DatabaseError) and error.facts.get("alias") == DEFAULT_DB_ALIAS:
            raise  # no snapshot can be stored without the default database
        return CaptureResult(table_name=str(name), error=str(error))
    finally:
        connections.close_all()  # connections belong to this thread
