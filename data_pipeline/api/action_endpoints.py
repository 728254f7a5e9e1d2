"""Endpoints that queue actions on a load, and one that dismisses it."""

import json
from collections.abc import Callable
from functools import partial
from hashlib import blake2b
from typing import ClassVar

from rest_framework.request import Request
from rest_framework.response import Response

from data_pipeline.api.base_view import PipelineView
from data_pipeline.api.reject_serializers import DismissalSerializer, ReplaySerializer
from data_pipeline.api.request_serializers import QueuedRequestSerializer
from data_pipeline.models import LoadLog
from data_pipeline.services.action_requests import enqueue_reject_replay, enqueue_undo, enqueue_verification
from data_pipeline.services.load_replay import enqueue_replay
from data_pipeline.services.load_requests import QueuedRequest, find_queued
from data_pipeline.services.load_scope import find_visible_load
from data_pipeline.services.possible_actions import PERMISSIONS, ActionName
from data_pipeline.services.reject_documents import dismissal_document
from data_pipeline.services.reject_listing import dismiss_load
from seeder.api.authentication_and_throttling import WRITE
from seeder.api.idempotency_keys import IDEMPOTENCY_KEY, scoped_idempotency_key
from seeder.api.operation_description import describe_operation

_STATE_ERRORS = {409: "The state of the load does not allow it."}
_REPLAY_ERRORS = {**_STATE_ERRORS, 422: "The corrections cannot be used, or the file cannot be found."}


class BaseActionView(PipelineView):
    def find_load(self, load_id: int) -> LoadLog:
        return find_visible_load(load_id, self.scope)

    @property
    def user_name(self) -> str:
        return str(self.request.user.get_username())

    def queue(self, enqueue: Callable[..., QueuedRequest], *, digest: str | None = None) -> Response:
        """Queue an action, or return the earlier request of the same call.

        The load's state may no longer allow what was queued, so the earlier request is looked up first.
        """
        key = scoped_idempotency_key(self.request)
        key = key and f"{key} {self.request.path}"
        earlier = None if key is None else find_queued(key, digest=digest)
        return self.accepted_request(earlier or enqueue(requested_by=self.user_name, idempotency_key=key))


class ReplayView(BaseActionView):
    required_permissions: ClassVar = {WRITE: PERMISSIONS[ActionName.REPLAY]}

    @describe_operation(
        "replayLoad",
        QueuedRequestSerializer,
        request=ReplaySerializer,
        parameters=[IDEMPOTENCY_KEY],
        errors=_REPLAY_ERRORS,
    )
    def post(self, request: Request, id: int) -> Response:
        """Queue another load of the file, or of its open rejects.

        Without a body, the file is loaded again with the same options. If its rows are in the table, it becomes a new
        load. With corrections, only these records are loaded, as a load of their own. What is still bad stays open.
        """
        body = self.validated_body(ReplaySerializer)
        load = self.find_load(id)
        if "corrections" not in body and not body["rejectsAsIs"]:
            return self.queue(partial(enqueue_replay, load.pk))
        corrections = {one["recordNo"]: one["values"] for one in body.get("corrections", ())}
        # The values are deleted when the request ends, but their digest can be compared later.
        digest = blake2b(json.dumps(body, sort_keys=True).encode(), digest_size=16).hexdigest()
        return self.queue(partial(enqueue_reject_replay, load.pk, corrections or None, digest=digest), digest=digest)


class UndoView(BaseActionView):
    required_permissions: ClassVar = {WRITE: PERMISSIONS[ActionName.UNDO]}

    @describe_operation("undoLoad", QueuedRequestSerializer, parameters=[IDEMPOTENCY_KEY], errors=_STATE_ERRORS)
    def post(self, request: Request, id: int) -> Response:
        """Queue an undo: remove the inserted rows, and restore the others.

        The worker refuses it if later loads have changed the same rows. Dependent views are refreshed.
        """
        return self.queue(partial(enqueue_undo, self.find_load(id)))


class VerificationView(BaseActionView):
    required_permissions: ClassVar = {WRITE: PERMISSIONS[ActionName.VERIFY]}

    @describe_operation("verifyLoad", QueuedRequestSerializer, parameters=[IDEMPOTENCY_KEY], errors=_STATE_ERRORS)
    def post(self, request: Request, id: int) -> Response:
        """Queue a comparison of the rows in the table with the file.

        The result is an event of the load.
        """
        return self.queue(partial(enqueue_verification, self.find_load(id)))


class DismissalView(BaseActionView):
    required_permissions: ClassVar = {WRITE: PERMISSIONS[ActionName.DISMISS]}

    @describe_operation("dismissLoad", DismissalSerializer, status=200)
    def post(self, request: Request, id: int) -> Response:
        """Dismiss the failure and the open rejects of a load.

        They stay visible, but no status and no metric counts them.
        """
        load_id = self.find_load(id).pk
        return Response(dismissal_document(load_id, dismiss_load(load_id, actor=self.user_name)))
