"""What was queued, for people and as JSON."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from django.utils import timezone

from seeder.domain.queued import Queued, QueuedPart
from seeder.management.rendering.figures import count
from seeder.management.rendering.lines import one_line

_SHOWN = 3  # views of a part that are named; the rest are counted


def asked(queued: Queued) -> Iterable[str]:
    """The answer to who asked."""
    return map(one_line, _lines(queued))


def _lines(queued: Queued) -> Iterable[str]:
    if queued.request_id is None:
        yield f"Nothing to queue: no manifest is enabled for {queued.asked_for}."
        return
    views = sum(len(part.views) for part in queued.parts)
    done = "joined" if queued.joined else "queued as"
    parts = f"{count(views, 'view')} in {count(len(queued.parts), 'part')}"
    yield f"{queued.asked_for}: {done} the request {queued.request_id}, {parts}"
    for part in queued.parts:
        yield f"part {part.number}: {_views(part)}"
    yield "See how it goes with `manage.py queue_status`."


def _views(part: QueuedPart) -> str:
    named = ", ".join(str(key.name) for key in part.views[:_SHOWN])
    more = f" and {count(len(part.views) - _SHOWN, 'view')} more" if len(part.views) > _SHOWN else ""
    return f"{named}{more}" if named else f"{count(len(part.manifests), 'manifest')} that cannot be refreshed"


def asked_document(queued: Queued) -> Mapping[str, object]:
    return {
        "requestId": queued.request_id,
        "askedFor": queued.asked_for,
        "joined": queued.joined,
        "parts": [_part(part) for part in queued.parts],
    }


def _part(part: QueuedPart) -> Mapping[str, object]:
    return {
        "id": part.id,
        "part": part.number,
        "state": part.state,
        "agencies": part.agencies,
        "manifests": len(part.manifests),
        "views": [{"view": str(key.name), "database": key.database} for key in part.views],
    }


def moment(instant: datetime) -> str:
    """`2026-11-22 02:00 UTC`, in the host's time zone."""
    return f"{timezone.localtime(instant):%Y-%m-%d %H:%M %Z}"
