"""Queued requests and their parts, as values."""

from collections.abc import Collection, Sequence, Set
from dataclasses import dataclass
from enum import StrEnum

from seeder.domain.manifests import ReportType, ViewKey

ManifestKey = tuple[ReportType, int]

# Consecutive runs of a part that ended before any view was refreshed. If a part kills its worker or exceeds the time
# limit, it will do so again. An attempt with progress does not count, so restarts of healthy clusters are unlimited.
MAX_ATTEMPTS_WITHOUT_PROGRESS = 5


class QueuedPartState(StrEnum):
    """State of a part. Ended is final."""

    QUEUED = "queued"
    RUNNING = "running"
    ENDED = "ended"


@dataclass(frozen=True, kw_only=True, slots=True)
class QueuedPart:
    """One part of a request."""

    id: int
    number: int  # from 1
    state: QueuedPartState
    manifests: frozenset[ManifestKey]
    views: tuple[ViewKey, ...]  # most urgent first
    agencies: tuple[str, ...]  # of its manifests; a user may be allowed to see only some
    run_ids: tuple[str, ...] = ()  # latest last


@dataclass(frozen=True, kw_only=True, slots=True)
class EnqueueResult:
    """Result of queueing a request."""

    request_id: str | None  # None if nothing is to be refreshed
    description: str
    joined: bool = False  # an earlier request covers it
    repeated: bool = False  # the same request was made before with this idempotency key
    parts: tuple[QueuedPart, ...] = ()  # the parts that contain requested manifests


def find_covering_parts(
    requests: Sequence[Collection[QueuedPart]], requested: Set[ManifestKey]
) -> tuple[QueuedPart, ...]:
    """Find the first request that has all requested manifests.

    Returns its parts that contain any of them, or nothing.
    """
    for parts in requests:
        matching_parts = tuple(part for part in parts if part.manifests & requested)
        if requested and requested <= frozenset().union(*(part.manifests for part in matching_parts)):
            return matching_parts
    return ()


def attempts_without_progress(run_ids: Sequence[str], productive_run_ids: Set[str]) -> int:
    """Count the latest consecutive runs without progress."""
    attempts = 0
    for run_id in reversed(run_ids):
        if run_id in productive_run_ids:
            break
        attempts += 1
    return attempts
