"""What a failed call of object storage means: whether to try again, and the error to show."""

from dataclasses import dataclass

from data_pipeline.artefact_errors import ArtefactError, ArtefactMissing, SourceChanged
from data_pipeline.storage.s3 import CERTIFICATE, CONNECTION, CREDENTIALS, NOT_S3, CallFailure
from data_pipeline.storage_errors import (
    AccessDenied,
    BucketMissing,
    CertificateRefused,
    ClockSkewed,
    CredentialsMissing,
    CredentialsRefused,
    IssuerUnavailable,
    NotObjectStorage,
    ObjectExists,
    StoreRefused,
    StoreUnavailable,
)
from seeder.domain.human_format import format_count
from seeder.texts import Text

_BUSY = {429, 503}  # the request was not carried out
_UNCERTAIN = {500, 502, 504}
_UNCERTAIN_CODES = {CONNECTION, "RequestTimeout"}
_BY_CODE: dict[str, type[ArtefactError]] = {
    CREDENTIALS: CredentialsMissing,
    CERTIFICATE: CertificateRefused,
    NOT_S3: NotObjectStorage,
    **dict.fromkeys(
        ("InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken", "TokenRefreshRequired"),
        CredentialsRefused,
    ),
    **dict.fromkeys(("RequestTimeTooSkewed", "RequestExpired"), ClockSkewed),
    **dict.fromkeys(("NoSuchBucket", "InvalidBucketName"), BucketMissing),
    "InvalidObjectState": StoreRefused,  # it is in an archive, and must be restored before; the status is 403
}
_BY_STATUS: dict[int, type[ArtefactError]] = {401: CredentialsRefused, 403: AccessDenied}
_OF_LISTING: dict[int, type[ArtefactError]] = {404: BucketMissing}
_OF_READING: dict[int, type[ArtefactError]] = {404: ArtefactMissing, 412: SourceChanged}
_OF_WRITING: dict[int, type[ArtefactError]] = {412: ObjectExists}
_MAX_CAUSE = 200  # characters of what a server says


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """What was requested, for messages."""

    operation: str  # a gerund: `reading`
    bucket: str
    path: str  # of the object or the listing
    endpoint: str
    writes: bool = False
    lists: bool = False

    @property
    def facts(self) -> dict[str, str]:
        """The facts that messages name."""
        return {"endpoint": self.endpoint, "operation": self.operation, "path": self.path}


def is_transient(failure: CallFailure, *, is_conditional_write: bool) -> bool:
    """Return whether another attempt may succeed.

    A conditional write whose answer was lost may have been carried out, and would then be refused.
    """
    if failure.status in _BUSY or (failure.issuer and failure.code == CONNECTION):
        return True
    is_uncertain = failure.status in _UNCERTAIN or failure.code in _UNCERTAIN_CODES
    return is_uncertain and not is_conditional_write


def error_of(failure: CallFailure, request: Request) -> ArtefactError:
    """Return the error that explains a failure after the last attempt."""
    code, cause = failure.code or "error", failure.cause
    if not isinstance(cause, Text):
        cause = " ".join(cause.split())[:_MAX_CAUSE].rstrip(".")
    kind = _kind_of(failure, request)
    if kind is StoreUnavailable and failure.status:
        cause = (
            f"{failure.code} ({failure.status})"
            if failure.code.isalpha()
            else Text("status {status}", status=failure.status)
        )
    return kind(
        **request.facts,
        bucket=request.bucket,
        code=code,
        cause=cause or Text("without a reason"),
        attempts=format_count(failure.attempts, "time"),
        change=Text("it was replaced"),
        issuer=failure.issuer,
    )


def _kind_of(failure: CallFailure, request: Request) -> type[ArtefactError]:
    if failure.issuer:
        return IssuerUnavailable
    if (kind := _BY_CODE.get(failure.code)) is not None:
        return kind
    if failure.status in _BUSY | _UNCERTAIN or failure.code in _UNCERTAIN_CODES:
        return StoreUnavailable
    of_operation = _OF_WRITING if request.writes else _OF_LISTING if request.lists else _OF_READING
    return (_BY_STATUS | of_operation).get(failure.status, StoreRefused)
