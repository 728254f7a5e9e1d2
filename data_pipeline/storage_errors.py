"""Expected errors of object storage. The docstring of an error is its message, as in `seeder.errors`."""

from data_pipeline.artefact_errors import ArtefactError


class StoreError(ArtefactError):
    """An object cannot be read or written."""


class StorageUnusable(StoreError):
    """No object can be read or written."""


class OutsideBuckets(StoreError):
    """{path} is outside of the buckets that INGEST_BUCKETS allows: {buckets}. Copy the object into one, or add its
    bucket."""


class BucketMissing(StorageUnusable):
    """There is no bucket {bucket} at {endpoint}. Check its name, S3_ENDPOINT_URL and S3_REGION."""


class AccessDenied(StoreError):
    """{endpoint} denied {operation} {path} ({code}). Allow the credentials s3:GetObject, s3:PutObject or s3:ListBucket.
    Without the last one, a missing object is denied, too."""


class CredentialsMissing(StorageUnusable):
    """There are no usable credentials for {endpoint}: {cause}. Set S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY, or give
    the process a role or AWS_* variables."""


class IssuerUnavailable(StorageUnusable):
    """{issuer} issued no credentials for {endpoint}: {cause}. It was tried {attempts}. Check that this machine can
    reach it, and AWS_CA_BUNDLE for its certificate."""


class CredentialsRefused(StorageUnusable):
    """{endpoint} does not accept the credentials ({code}). Check S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY, or the role
    and the AWS_* variables of the process; they may have expired."""


class ClockSkewed(StorageUnusable):
    """{endpoint} refused the signature of a request, because the clock of this machine is wrong ({code}). Synchronize
    the clock, and try again."""


class CertificateRefused(StorageUnusable):
    """The certificate of {endpoint} cannot be verified: {cause}. Set AWS_CA_BUNDLE to a file with its authority."""


class NotObjectStorage(StorageUnusable):
    """{endpoint} did not answer {operation} {path} as object storage does: {cause}. Check S3_ENDPOINT_URL: it must be
    the address of the S3 API, not of its web pages."""


class StoreUnavailable(StorageUnusable):
    """{endpoint} did not answer {operation} {path}: {cause}. It was tried {attempts}. Try again later."""


class ObjectExists(StoreError):
    """{path} exists already, and was not overwritten. Delete it, or choose another key."""


class StoreRefused(StoreError):
    """{endpoint} refused {operation} {path}: {code}, {cause}. Correct the request, or ask its operator."""


class TooLargeToSpool(StoreError):
    """{path} has {size}, but a workbook is copied to a temporary file, for which MAX_SPOOLED_MB allows {limit}. Save it
    as CSV, or raise the limit."""
