"""Descriptions of operations for the OpenAPI schema."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import Any, TypeVar

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema, inline_serializer
from rest_framework.serializers import CharField, Field, IntegerField, Serializer

from seeder.api.document_serializers import ProblemSerializer
from seeder.api.problem_details import MEDIA_TYPE
from seeder.api.problem_examples import example_of
from seeder.api.response_headers import REQUEST_ID
from seeder.domain.manifests import ReportType

Method = TypeVar("Method", bound=Callable[..., Any])

_ERROR_RESPONSES = {
    400: "The request is invalid; `fields` lists the invalid parameters.",
    401: "Not logged in.",
    403: "Permission denied.",
    404: "Not found, or not visible to this user.",
    503: "The database is unavailable or a setting is invalid.",
}
_SUCCESS_TEXTS = {200: "The document.", 201: "Created.", 202: "Queued.", 204: "Deleted."}
_READ_RESPONSES = {
    304: "Not modified: the document has the entity tag of `If-None-Match`.",
    414: "The URL is longer than the web server accepts. It is the web server's page.",
}
_WRITE_ERROR_RESPONSES = {
    409: "Conflicts with an existing object.",
    413: "The body is too large.",
    415: "The body has another media type.",
    429: "Too many write requests; `Retry-After` is the number of seconds to wait.",
}


def _header(name: str, kind: type, description: str, *statuses: int) -> OpenApiParameter:
    """Describe a header of responses with these statuses, or of all."""
    where = [*statuses] or True
    return OpenApiParameter(name, kind, OpenApiParameter.HEADER, response=where, description=description)


_HEADERS = [
    _header(REQUEST_ID, str, "id of the request in the log: the one that the request had, otherwise a new one"),
    _header("Location", str, "URL of the created object, or of the state of the queued work", 201, 202),
    _header("Retry-After", int, "seconds to wait before the next call", 202, 429),
]
_WRITE_HEADERS = [
    _header("RateLimit-Policy", str, 'calls allowed, such as `"writes";q=60;w=60`: 60 in 60 seconds', 202, 429),
    _header("RateLimit", str, 'calls left, such as `"writes";r=59;t=60`: 59 in 60 seconds', 202, 429),
]
_READ_HEADERS = [_header("ETag", str, "tag of the document, for `If-None-Match`", 200, 304)]

JOB_PATH_PARAMETERS = [
    OpenApiParameter("reportType", str, OpenApiParameter.PATH, enum=[*map(str, ReportType)]),
    OpenApiParameter("id", {"type": "integer", "minimum": 1}, OpenApiParameter.PATH, description="id of the manifest"),
]


_is_own_schema = ContextVar("is_own_schema", default=False)


class OwnSchema(AutoSchema):
    """Describe an operation in the schema of its app only.

    In the host's schema, its enums and operation ids could collide with others.
    """

    def is_excluded(self) -> bool:
        return not _is_own_schema.get()


@contextmanager
def own_schema() -> Iterator[None]:
    """Describe the operations of the apps in the schema that is built inside the block."""
    token = _is_own_schema.set(True)
    try:
        yield
    finally:
        _is_own_schema.reset(token)


def describe_operation(  # noqa: PLR0913  # facts of one operation
    operation_id: str,
    response: Any,
    *,
    request: Any = None,
    status: int | Sequence[int] | None = None,
    errors: Mapping[int, str] | None = None,
    parameters: list[Any] | None = None,
    **schema_options: Any,
) -> Callable[[Method], Method]:
    """Wrap `extend_schema`, but ignore the host's schema class, and add the error responses.

    `operation_id` is the method name in generated clients. The summary and description come from the docstring.
    `status` is that of success, or all that success can have (default: 200 of a GET, otherwise 202). If success has
    several media types, `response` is a dictionary by status and media type. `errors` are further responses by status.
    """

    def decorate(method: Method) -> Method:
        is_write = method.__name__ != "get"
        texts = _ERROR_RESPONSES | (_WRITE_ERROR_RESPONSES if is_write else {}) | dict(errors or {})
        successes = [status or (202 if is_write else 200)] if status is None or isinstance(status, int) else status
        by_type = response if isinstance(response, dict) else dict.fromkeys(successes, response)
        responses: dict[Any, Any] = {
            key: OpenApiResponse(one, _SUCCESS_TEXTS.get(key if isinstance(key, int) else key[0], "Success."))
            for key, one in by_type.items()
        }
        responses |= (
            {} if is_write else {code: OpenApiResponse(description=text) for code, text in _READ_RESPONSES.items()}
        )
        responses |= {(code, MEDIA_TYPE): _problem_response(code, text) for code, text in texts.items()}
        method.kwargs = {"schema": OwnSchema}  # type: ignore[attr-defined]  # extend_schema reads it
        method.takes_body = request is not None  # type: ignore[attr-defined]  # the view refuses others
        method.takes_query = any(map(_is_in_query, parameters or ()))  # type: ignore[attr-defined]
        summary, _, more = " ".join((method.__doc__ or "").split()).partition(". ")
        return extend_schema(
            operation_id=operation_id,
            summary=summary.rstrip("."),
            description=more,
            request=request,
            responses=responses,
            parameters=[*(parameters or []), *_HEADERS, *(_WRITE_HEADERS if is_write else _READ_HEADERS)],
            **schema_options,
        )(method)

    return decorate


def _is_in_query(parameter: Any) -> bool:
    """Return whether a parameter, or the fields of a serializer, are in the query."""
    return not isinstance(parameter, OpenApiParameter) or parameter.location == OpenApiParameter.QUERY


def _problem_response(status: int, text: str) -> OpenApiResponse:
    value = example_of(status)
    examples = [] if value is None else [OpenApiExample(value["title"], value=value)]
    return OpenApiResponse(ProblemSerializer, text, examples=examples)


@cache
def page_schema(serializer: type[Serializer[Any]], *, is_counted: bool = False) -> Serializer[Any]:
    """Return the schema of a cursor page, with a total count if it is cheap."""
    count = {"count": IntegerField(help_text="number of rows on all pages")} if is_counted else {}
    fields: dict[str, Field[Any, Any, Any, Any]] = {
        **count,
        "next": CharField(allow_null=True, help_text="URL of the next page, null on the last"),
        "previous": CharField(allow_null=True, help_text="URL of the previous page, null on the first"),
        "results": serializer(many=True),
    }
    return inline_serializer(f"{serializer.__name__.removesuffix('Serializer')}Page", fields)
