"""Entries in the log of Django's admin, which the history of an object shows."""

import json
from collections.abc import Sequence
from typing import Any

from django.apps import apps

from seeder.domain.manifest_edits import EditAction


def write(action: EditAction, row: Any, *, user_id: Any, fields: Sequence[str] | None = None) -> None:
    """Write what a user did with a row, in the caller's transaction. Without the admin, do nothing."""
    if not apps.is_installed("django.contrib.admin"):
        return
    from django.contrib.admin import models as admin_log  # a model of an app that the host may not have
    from django.contrib.contenttypes.models import ContentType

    flags = {
        EditAction.CREATED: (admin_log.ADDITION, "added"),
        EditAction.CHANGED: (admin_log.CHANGE, "changed"),
        EditAction.REMOVED: (admin_log.DELETION, "deleted"),
    }
    flag, verb = flags[action]
    admin_log.LogEntry.objects.create(
        user_id=user_id,
        content_type=ContentType.objects.get_for_model(row),
        object_id=str(row.pk),
        object_repr=str(row)[:200],
        action_flag=flag,
        change_message=json.dumps([{verb: {"fields": list(fields)} if fields else {}}]),
    )
