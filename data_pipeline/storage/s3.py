"""The client of object storage. The only module that imports botocore.

boto3 adds nothing that is used here, and takes memory.
"""

import gzip
import json
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, cast

from data_pipeline import conf
from data_pipeline.domain.uris import without_query
from seeder.errors import ConfigurationError, ExtraMissing
from seeder.texts import Text

try:
    from botocore import exceptions
    from botocore.config import Config
    from botocore.loaders import JSONFileLoader
    from botocore.parsers import ResponseParserError
    from botocore.session import Session
except ImportError as error:
    raise ExtraMissing(feature=Text("Object storage"), distribution="botocore", extra="s3") from error

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# Lines of the level DEBUG contain signed requests.
if (_log := logging.getLogger("botocore")).level == logging.NOTSET:
    _log.setLevel(logging.INFO)

_CREDENTIALS = (
    exceptions.NoCredentialsError,
    exceptions.PartialCredentialsError,
    exceptions.CredentialRetrievalError,
    exceptions.TokenRetrievalError,
    exceptions.ProfileNotFound,
)
_CONNECTION = (
    exceptions.ConnectionError,
    exceptions.HTTPClientError,
    exceptions.IncompleteReadError,
    exceptions.FlexibleChecksumError,
)
_SERVICES = {"s3", "sts", "portal.sso", "oidc", "signin"}  # object storage, and what issues credentials
CREDENTIALS, CONNECTION, CERTIFICATE, NOT_S3 = "credentials", "connection", "certificate", "not S3"
_REDIRECT = 300  # and above: answers that are not successful
_OF_AN_OBJECT = {"ContentLength", "ETag", "LastModified"}
_ANSWERS = {  # what the answers of these operations have
    "GetObject": _OF_AN_OBJECT,
    "HeadObject": _OF_AN_OBJECT,
    "ListObjectsV2": {"IsTruncated"},
    "PutObject": {"ETag"},
    "CreateMultipartUpload": {"UploadId"},
    "UploadPart": {"ETag"},
    "CompleteMultipartUpload": {"ETag"},
}


class CallFailure(Exception):
    """A call that failed: the server's answer, or why there was none."""

    def __init__(self, code: str, *, cause: str, status: int = 0, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(cause)
        self.code = code  # of S3, or one of the constants above
        self.cause = cause  # without secrets
        self.status = status  # of HTTP; 0 without an answer
        self.headers = headers or {}  # with names in lower case
        self.attempts = 1
        self.issuer = ""  # of credentials, if the call was its and not one of S3


def get_s3_client_config(settings: conf.Settings | None = None) -> Config:
    """Return the timeouts, the pool and the addressing style of the client.

    `ObjectStore` retries by itself. Checksums that only AWS knows are used with AWS only.
    """
    settings = settings or conf.load_in_use()
    checksums: Any = "when_required" if settings.s3_endpoint_url else "when_supported"
    return Config(
        connect_timeout=settings.s3_connect_timeout_s,
        read_timeout=settings.s3_read_timeout_s,
        max_pool_connections=settings.s3_max_pool,
        retries={"total_max_attempts": 1, "mode": "standard"},
        s3={"addressing_style": _addressing_style(settings)},
        request_checksum_calculation=checksums,
        response_checksum_validation=checksums,
    )


def get_s3_client_kwargs(settings: conf.Settings | None = None) -> dict[str, Any]:
    """Return the arguments of `create_client`. Without `S3_ACCESS_KEY_ID`, the client finds credentials itself.

    It tries the environment, the profile, and the role of the container or machine.
    """
    settings = settings or conf.load_in_use()
    kwargs: dict[str, Any] = {"service_name": "s3", "config": get_s3_client_config(settings)}
    if settings.s3_endpoint_url:
        kwargs["endpoint_url"] = settings.s3_endpoint_url
    if settings.s3_region:
        kwargs["region_name"] = settings.s3_region
    if settings.s3_access_key_id:
        if not settings.s3_secret_access_key:
            raise ConfigurationError(
                setting="S3_SECRET_ACCESS_KEY", value="", expected=Text("the secret of S3_ACCESS_KEY_ID")
            )
        kwargs["aws_access_key_id"] = settings.s3_access_key_id
        kwargs["aws_secret_access_key"] = settings.s3_secret_access_key
    return kwargs


def open_client(settings: conf.Settings) -> "S3Client":
    """Return a client, which threads can share. It opens no connection yet. Raises `CallFailure`."""
    with translated_failures():
        try:
            session = small_session()
            session.register("after-call-error", _translate_error_of_issuer)
            client: Any = session.create_client(**get_s3_client_kwargs(settings))
        except ValueError as error:  # an endpoint that is no URL
            raise ConfigurationError(
                setting="S3_ENDPOINT_URL", value=without_query(settings.s3_endpoint_url), expected="a URL"
            ) from error
    client.meta.events.register("after-call.s3", _require_answer)
    return cast("S3Client", client)


def small_session() -> Session:
    """Return a session of botocore that keeps few descriptions of services."""
    session = Session()
    session.get_component("data_loader").file_loader = _SmallModels()
    return session


def _require_answer(*, model: Any, parsed: Mapping[str, Any], **_: Any) -> None:
    """Raise `CallFailure` if an answer is not that of S3.

    A successful one would be read as an empty listing.
    """
    missing = _ANSWERS.get(model.name, set()) - parsed.keys()
    if missing and parsed["ResponseMetadata"]["HTTPStatusCode"] < _REDIRECT:
        raise CallFailure(NOT_S3, cause=Text("its answer has no {field}", field=min(missing)))


def _translate_error_of_issuer(**event: Any) -> None:
    """Raise `CallFailure` for a call that was to get credentials. S3 itself was not called."""
    _, service, operation = event["event_name"].split(".")
    if service == "s3":
        return
    exception = event["exception"]
    try:
        with translated_failures():
            raise exception
    except CallFailure as failure:
        address = without_query(getattr(exception, "kwargs", {}).get("endpoint_url", "")).rstrip("/")
        failure.issuer = (
            failure.issuer
            or address
            or Text("The service {service} ({operation})", service=service, operation=operation)
        )
        raise


@contextmanager
def translated_failures() -> Iterator[None]:
    """Translate errors of the client to `CallFailure`. Their texts can contain addresses and signatures."""
    try:
        yield
    except exceptions.ClientError as error:
        answer = error.response
        if error.operation_name.startswith("AssumeRole"):  # of the client itself, at another server
            raise CallFailure(CREDENTIALS, cause=str(error)) from error
        metadata = answer.get("ResponseMetadata", {})
        raise CallFailure(
            str(answer.get("Error", {}).get("Code", "")),
            cause=str(answer.get("Error", {}).get("Message", "")),
            status=int(metadata.get("HTTPStatusCode", 0)),
            headers=metadata.get("HTTPHeaders", {}),
        ) from error
    except _CREDENTIALS as error:
        raise CallFailure(CREDENTIALS, cause=str(error)) from error
    except exceptions.SSLError as error:
        raise CallFailure(CERTIFICATE, cause=_innermost(error)) from error
    except _CONNECTION as error:
        raise CallFailure(CONNECTION, cause=_innermost(error)) from error
    except ResponseParserError as error:
        raise CallFailure(NOT_S3, cause=Text("its answer cannot be parsed")) from error
    except RecursionError as error:  # the client follows redirects by asking for the region, which is redirected, too
        raise CallFailure(NOT_S3, cause=Text("it redirects every request")) from error
    except OSError as error:  # a file with credentials, such as the token of a role
        raise CallFailure(CREDENTIALS, cause=f"{error.filename}: {error.strerror}") from error
    except exceptions.BotoCoreError as error:
        raise CallFailure(type(error).__name__, cause=" ".join(str(error).split())) from error


def _addressing_style(settings: conf.Settings) -> Any:
    """Return the style. Hosts other than AWS seldom have a name for each bucket."""
    is_custom = bool(settings.s3_endpoint_url)
    return "path" if is_custom and settings.s3_addressing_style == "auto" else settings.s3_addressing_style


def _innermost(error: BaseException) -> str:
    """Return the cause, without the address of the request.

    It is that of the operating system or the protocol.
    """
    causes = {
        exceptions.ConnectTimeoutError: Text("no connection within S3_CONNECT_TIMEOUT_S"),
        exceptions.ReadTimeoutError: Text("no data within S3_READ_TIMEOUT_S"),
        exceptions.ConnectionClosedError: Text("the connection was closed"),
        exceptions.IncompleteReadError: Text("the answer ended early"),
        exceptions.ResponseStreamingError: Text("the answer ended early"),
        exceptions.FlexibleChecksumError: Text("the checksum of the answer is wrong"),
    }
    for kind, text in causes.items():
        if isinstance(error, kind):
            return text
    inner: BaseException | None = error
    while inner is not None:
        if isinstance(inner, OSError) and inner.strerror:
            return inner.strerror
        inner = getattr(inner, "kwargs", {}).get("error") or inner.__cause__ or inner.__context__
    return Text("no connection")


class _SmallModels(JSONFileLoader):
    """Reads only the needed descriptions of services.

    They have no documentation, and the endpoints of few services. Otherwise, botocore keeps 12 MB of them.
    """

    def load_file(self, file_path: str) -> Any:
        """Return the content of a file, or None without one."""
        for suffix, open_file in ((".json", open), (".json.gz", gzip.open)):
            with suppress(FileNotFoundError), open_file(file_path + suffix, "rb") as file:
                return json.loads(file.read(), object_hook=_without_unused)
        return super().load_file(file_path)


def _without_unused(node: dict[str, Any]) -> dict[str, Any]:
    if isinstance(node.get("documentation"), str):
        node["documentation"] = ""
    if "partition" in node and (services := node.get("services")):
        node["services"] = {name: services[name] for name in _SERVICES & services.keys()}
    return node
