"""Chooses where uploads are stored."""

from data_pipeline import conf
from data_pipeline.storage.incoming_upload import UploadPlace
from data_pipeline.upload_errors import UploadsOff


def upload_place(settings: conf.Settings) -> UploadPlace:
    """Return the bucket or the folder of the settings. Raises `UploadsOff`."""
    if settings.upload_bucket:
        from data_pipeline.storage.object_store import shared_store  # needs the extra `s3`
        from data_pipeline.storage.upload_bucket import UploadBucket

        return UploadBucket(shared_store(settings), settings.upload_bucket)
    if settings.upload_root:
        from data_pipeline.storage.upload_folder import UploadFolder

        return UploadFolder(settings.upload_root)
    raise UploadsOff
