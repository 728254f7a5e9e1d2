"""Deletes uploads that nothing needs, and those of killed web servers."""

from collections.abc import Iterator

from django.db import DEFAULT_DB_ALIAS

from data_pipeline import conf
from data_pipeline.postgres import load_pruning, upload_locks
from data_pipeline.storage.incoming_upload import UploadPlace
from data_pipeline.storage.upload_places import upload_place
from data_pipeline.upload_errors import UploadsOff
from seeder.postgres.transactions import atomic


def prune_uploads(*, dry_run: bool = False) -> Iterator[int]:
    """Delete the uploads that are older than KEEP_UPLOADS_DAYS. Yield the number after each look at one.

    An upload is needed while a request for it has not ended. Without any request it is deleted at once, because an
    upload gets its name in the transaction of its request. Raises `UploadNotStored`, `StoreError` or database errors.
    """
    settings = conf.load()
    try:
        place = upload_place(settings)
    except UploadsOff:
        return
    yield place.remove_abandoned(dry_run=dry_run)
    for content, uri in place.published():
        yield _prune(place, content, uri, days=settings.keep_uploads_days, dry_run=dry_run)


def _prune(place: UploadPlace, content: str, uri: str, *, days: int, dry_run: bool) -> int:
    with atomic(durable=True):
        upload_locks.lock(DEFAULT_DB_ALIAS, content)
        if load_pruning.is_upload_needed(DEFAULT_DB_ALIAS, uri, days=days):
            return 0
        if not dry_run:
            place.remove(content)
        return 1
