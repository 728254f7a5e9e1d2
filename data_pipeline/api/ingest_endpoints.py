"""Endpoints that take files and records. Everything is queued, and a worker loads it."""

from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from typing import Any, ClassVar

from django.utils.translation import gettext
from drf_spectacular.types import OpenApiTypes
from rest_framework import serializers, status
from rest_framework.exceptions import UnsupportedMediaType, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from data_pipeline import conf
from data_pipeline.api import upload_bodies
from data_pipeline.api.base_view import PipelineView
from data_pipeline.api.ingest_serializers import (
    RECORDS,
    FileOptionsSerializer,
    FormSerializer,
    IngestSerializer,
    RecordOptionsSerializer,
)
from data_pipeline.api.request_serializers import QueuedRequestSerializer
from data_pipeline.api.upload_bodies import JSON, MULTIPART, UnreadBody
from data_pipeline.domain.json_arrays import ArrayLines
from data_pipeline.domain.load_requests import RequestAction
from data_pipeline.services import ingest_errors, ingest_requests
from data_pipeline.services.ingest_requests import Ingest
from data_pipeline.services.load_options import LoadOptions
from data_pipeline.storage.incoming_upload import IncomingUpload
from data_pipeline.upload_errors import (
    AddressNotAccepted,
    LengthMissing,
    MalformedUpload,
    UploadIncomplete,
    UploadNotStored,
    UploadsOff,
    UploadTooLarge,
)
from seeder.api.authentication_and_throttling import WRITE
from seeder.api.base_view import LimitedJSONParser
from seeder.api.exception_handler import ErrorStatuses
from seeder.api.idempotency_keys import IDEMPOTENCY_KEY, scoped_idempotency_key
from seeder.api.operation_description import Method, describe_operation
from seeder.api.problem_details import Problem

_ERRORS = {
    411: "The request has no Content-Length.",
    413: "The upload is larger than MAX_UPLOAD_MB.",
    415: "The format of the file or the media type of the body is not supported.",
    422: "The request is well-formed, but nothing can be loaded.",
}
_NDJSON = {"application/x-ndjson", "application/ndjson", "application/jsonl"}


def _describe_file_operation(operation_id: str) -> Callable[[Method], Method]:
    return describe_operation(
        operation_id,
        QueuedRequestSerializer,
        request={JSON: IngestSerializer, MULTIPART: FormSerializer, "application/octet-stream": OpenApiTypes.BINARY},
        parameters=[FileOptionsSerializer, IDEMPOTENCY_KEY],
        errors=_ERRORS,
    )


class QueuingView(PipelineView):
    """A view that queues what a client sends."""

    required_permissions: ClassVar = {WRITE: "data_pipeline.load"}
    parser_classes = [UnreadBody]
    error_statuses: ClassVar[ErrorStatuses] = (
        ((UploadsOff, UploadNotStored), status.HTTP_503_SERVICE_UNAVAILABLE),
        ((UploadTooLarge,), status.HTTP_413_REQUEST_ENTITY_TOO_LARGE),
        ((LengthMissing,), status.HTTP_411_LENGTH_REQUIRED),
        ((MalformedUpload, UploadIncomplete), status.HTTP_400_BAD_REQUEST),
        ((AddressNotAccepted,), status.HTTP_403_FORBIDDEN),
        *PipelineView.error_statuses,
    )
    action: ClassVar = RequestAction.LOAD

    def problem_occurred(self, problem: Problem) -> None:
        super().problem_occurred(problem)
        match, user = self.request.resolver_match, getattr(self.request, "_user", None)
        ingest_errors.record(
            status=problem.status,
            code=problem.code,
            user=user.get_username() if user is not None else None,
            route=match.route if match else "",
            request_id=self.request_id,
        )

    def ingest(self, options: LoadOptions) -> Ingest:
        """Return what this request wants. Raises if the table or the dialect is unknown."""
        return Ingest(
            options=ingest_requests.with_table(options, self.scope),
            requested_by=self.request.user.get_username(),
            action=self.action,
            idempotency_key=scoped_idempotency_key(self.request),
        )

    def begin_upload(self) -> tuple[int, IncomingUpload]:
        """Return the length of the body, and a place for it. Nothing is read yet."""
        length = upload_bodies.length_of(self.request, max_bytes=conf.load().max_upload_bytes)
        return length, ingest_requests.receive_upload()


class FileView(QueuingView):
    """Queues work on the file at an address, or the uploaded one."""

    def queue_file(self, request: Request) -> Response:
        match upload_bodies.media_type_of(request):
            case upload_bodies.JSON:
                return self._load_address(request)
            case upload_bodies.MULTIPART:
                return self._load_form(request)
            case _:
                return self._load_body(request)

    def _load_address(self, request: Request) -> Response:
        document = LimitedJSONParser().parse(request.stream or BytesIO())
        given = _validated(IngestSerializer, document)
        queued = ingest_requests.enqueue_address(given.validated_data["source_uri"], self.ingest(given.options()))
        return self.accepted_request(queued)

    def _load_form(self, request: Request) -> Response:
        ingest = self.ingest(_options_of_query(request, FileOptionsSerializer)) if request.query_params else None
        length, upload = self.begin_upload()
        with upload:
            fields, label = upload_bodies.copy_file_of_form(request, length, upload.write)
            if ingest is None:
                ingest = self.ingest(_validated(FileOptionsSerializer, fields).options())
            elif fields:
                text = gettext("Give all options in the query or in the form.")
                raise ValidationError({name: [text] for name in fields})
            options = replace(ingest.options, label=label)
            return self.accepted_request(ingest_requests.enqueue_upload(upload, replace(ingest, options=options)))

    def _load_body(self, request: Request) -> Response:
        ingest = self.ingest(_options_of_query(request, FileOptionsSerializer))  # before any byte is read
        length, upload = self.begin_upload()
        with upload:
            upload_bodies.copy_body(request, length, upload.write)
            return self.accepted_request(ingest_requests.enqueue_upload(upload, ingest))


class IngestView(FileView):
    @_describe_file_operation("ingestFile")
    def post(self, request: Request) -> Response:
        """Queue the load of a file.

        A JSON body has the address of the file. Any other body is the file, as a form or as it is.
        """
        return self.queue_file(request)


class UploadView(FileView):
    @_describe_file_operation("uploadFile")
    def post(self, request: Request) -> Response:
        """Queue the load of a file, as `ingestFile` does."""
        return self.queue_file(request)


class DryRunView(FileView):
    action = RequestAction.DRY_RUN

    @_describe_file_operation("dryRunFile")
    def post(self, request: Request) -> Response:
        """Queue a dry run of the load of a file.

        Its result is in the state of the request. The body is that of `ingestFile`. The file is loaded and its views
        are refreshed, and all of it is rolled back.
        """
        return self.queue_file(request)


class RecordsView(QueuingView):
    """Queues the load of uploaded records."""

    action = RequestAction.RECORDS

    @describe_operation(
        "ingestRecords",
        QueuedRequestSerializer,
        request={JSON: RECORDS},
        parameters=[RecordOptionsSerializer, IDEMPOTENCY_KEY],
        errors=_ERRORS,
    )
    def post(self, request: Request) -> Response:
        """Queue the load of records of one table.

        The body is a JSON array of objects, or one object in each line (`application/x-ndjson`). The options are in the
        query.
        """
        ingest = self.ingest(_options_of_query(request, RecordOptionsSerializer))
        media_type = upload_bodies.media_type_of(request)
        if media_type != JSON and media_type not in _NDJSON:
            raise UnsupportedMediaType(media_type)
        length, upload = self.begin_upload()
        with upload:
            if media_type == JSON:
                _copy_array(request, length, upload)
            else:
                upload_bodies.copy_body(request, length, upload.write)
            return self.accepted_request(ingest_requests.enqueue_upload(upload, ingest))


def _copy_array(request: Request, length: int, upload: IncomingUpload) -> None:
    """Store a JSON array as lines."""
    array = ArrayLines()
    try:
        upload_bodies.copy_body(request, length, lambda piece: upload.write(array.feed(piece)))
        array.close()
    except ValueError as error:
        raise MalformedUpload(content_type=JSON, problem=str(error)) from error


def _options_of_query(request: Request, serializer_class: type[RecordOptionsSerializer]) -> LoadOptions:
    if repeated := [name for name, values in request.query_params.lists() if len(values) > 1]:
        raise ValidationError({name: [gettext("Given more than once.")] for name in repeated})
    options: LoadOptions = _validated(serializer_class, request.query_params.dict()).options()
    return options


def _validated(serializer_class: Any, data: Any) -> Any:
    serializer: serializers.Serializer[Any] = serializer_class(data=data)
    serializer.is_valid(raise_exception=True)
    return serializer
