"""The section of a view's page about the rows that its refreshes changed."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest

from seeder.services.data_checks import check_access
from seeder.services.query_validation import can_see_data
from seeder.services.read_models import changed_rows


def section_context(request: HttpRequest, table_name: str, agencies: list[str] | None) -> Mapping[str, Any]:
    """Return the latest sample and the request that waits. Nothing without the table."""
    if not changed_rows.has_samples():
        return {}
    rows = changed_rows.samples_of(check_access.find_view(table_name, agencies))
    shown = [*rows.filter(history=None)[:1], *rows.exclude(history=None).order_by("-history_id")[:1]]
    samples = changed_rows.visible_samples(shown, can_see_data=can_see_data(request.user))
    return {
        "waiting_sample": next((one for one in samples if one.is_waiting), None),
        "last_sample": next((one for one in samples if not one.is_waiting), None),
        "has_samples": True,
    }
