"""Expected errors of uploads. The docstring of an error is its message, as in `seeder.errors`."""

from data_pipeline.errors import PipelineError


class UploadError(PipelineError):
    """An upload cannot be taken."""


class UploadsOff(UploadError):
    """Uploads are not accepted, because neither UPLOAD_ROOT nor UPLOAD_BUCKET is set. Set one of them, where the
    workers read it, too."""


class UploadTooLarge(UploadError):
    """The upload has more than {limit}, which MAX_UPLOAD_MB allows. Compress the file with gzip, or split it."""


class UploadIncomplete(UploadError):
    """The upload ended after {received:,} of {expected:,} bytes. Send it again."""

    code = "bad_request"


class EmptyUpload(UploadError):
    """The upload has no bytes. Send the file as the body, or as the only file of a form."""

    code = "unprocessable_entity"


class LengthMissing(UploadError):
    """The request has no Content-Length, so that its body cannot be read. Send the length of the body."""


class MalformedUpload(UploadError):
    """The body cannot be read as {content_type}: {problem}."""

    code = "bad_request"


class UploadNotStored(UploadError):
    """The upload cannot be stored: {cause}. Check the free space, the permissions and the mount of {place}."""


class AddressNotAccepted(UploadError):
    """The API loads no file from this address. It accepts files in INGEST_ROOTS, objects in INGEST_BUCKETS and URLs of
    ALLOWED_HOSTS. Upload the file, or ask an administrator to allow its folder, bucket or host."""


class TableNotNamed(UploadError):
    """The request names no table. Name one, or a dialect with a target."""

    code = "unprocessable_entity"
