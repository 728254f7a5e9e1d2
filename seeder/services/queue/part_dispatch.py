"""Dispatches parts: tells the queue that a part can be claimed.

The message is only a hint. A lost message is sent again by a rescuer; a duplicate finds the part already claimed.
"""

from seeder.errors import QueueMissing
from seeder.services.event_logger import WARNING, log_event
from seeder.services.queue import part_rows
from seeder.services.queue.dispatch import dispatch

_TASK = "seeder.tasks.refresh_queued"


def dispatch_part(part_id: int) -> None:
    """Send the message for a part whose row is committed. If the broker refuses it, a rescuer sends it later."""
    try:
        dispatch(_TASK, part_id)
    except QueueMissing as error:
        # The broker's message may contain its address and password.
        log_event(WARNING, "dispatch_failed", part=part_id, reason=type(error.__cause__).__name__)
    else:
        part_rows.mark_dispatched(part_id)
