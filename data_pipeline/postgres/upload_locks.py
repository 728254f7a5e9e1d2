"""Serializes the publication and the removal of an upload."""

from seeder.postgres import advisory_locks


def lock(database: str, content_blake2b: str) -> None:
    """Lock the upload with this content until the end of the transaction."""
    advisory_locks.lock(database, f"data_pipeline.upload {content_blake2b}")
