"""Rules for queued requests and their parts."""

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from enum import StrEnum
from itertools import takewhile
from typing import TypeVar

from seeder.domain.manifests import ManifestKey

Part = TypeVar("Part")

# Consecutive runs of a part that ended before any view was refreshed. If a part kills its worker or exceeds the time
# limit, it will do so again. An attempt with progress does not count, so restarts of healthy clusters are unlimited.
MAX_ATTEMPTS_WITHOUT_PROGRESS = 5


class QueuedPartState(StrEnum):
    """State of a part or a request. Ended and cancelled are final."""

    QUEUED = "queued"
    RUNNING = "running"
    ENDED = "ended"
    CANCELLED = "cancelled"


FINAL_STATES = (QueuedPartState.ENDED, QueuedPartState.CANCELLED)


def request_state(part_states: Iterable[str]) -> QueuedPartState:
    """Return the state of a request whose parts have these states."""
    states = set(part_states)
    if len(states) == 1:
        return QueuedPartState(states.pop())
    return QueuedPartState.CANCELLED if states <= {*FINAL_STATES} else QueuedPartState.RUNNING


@dataclass(frozen=True, kw_only=True, slots=True)
class CaptureRequest:
    """A release snapshot to capture, as the arguments of the queue's task."""

    table_name: str
    release_tag: str
    release_version: str | None = None
    top_values_columns: Sequence[str] = ()
    approximate: bool = False


def find_covering_parts(
    requests: Iterable[Mapping[Part, Set[ManifestKey]]], requested: Set[ManifestKey]
) -> tuple[Part, ...]:
    """Find the first request that has all requested manifests.

    Each request maps its parts to their manifests. Returns the parts that contain any of them, or nothing.
    """
    for manifests_of in requests:
        if requested and requested <= frozenset().union(*manifests_of.values()):
            return tuple(part for part, manifests in manifests_of.items() if manifests & requested)
    return ()


def attempts_without_progress(run_ids: Sequence[str], productive_run_ids: Set[str]) -> int:
    """Count the latest consecutive runs without progress."""
    return sum(1 for _ in takewhile(lambda run_id: run_id not in productive_run_ids, reversed(run_ids)))
