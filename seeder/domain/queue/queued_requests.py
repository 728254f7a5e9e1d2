"""What was asked for and waits for whichever worker gets to it, as values."""

from collections.abc import Collection, Sequence, Set
from dataclasses import dataclass
from enum import StrEnum

from seeder.domain.manifests import ReportType, ViewKey

ManifestKey = tuple[ReportType, int]

# In a row, of runs of a part that ended before any of its views was refreshed. Whatever makes a worker die of a part,
# or keeps it beyond the time limit, will do so again; each attempt that got something done leaves less to do, so that
# no number of restarts of healthy clusters is too high.
MAX_ATTEMPTS_WITHOUT_PROGRESS = 5


class QueuedPartState(StrEnum):
    """How far a part has come; never backwards from ended."""

    QUEUED = "queued"
    RUNNING = "running"
    ENDED = "ended"


@dataclass(frozen=True, kw_only=True, slots=True)
class QueuedPart:
    """One part of a request."""

    id: int
    number: int  # from 1 on
    state: QueuedPartState
    manifests: frozenset[ManifestKey]
    views: tuple[ViewKey, ...]  # most urgent first
    agencies: tuple[str, ...]  # of its manifests; not everybody who asks may see them all
    run_ids: tuple[str, ...] = ()  # the latest last


@dataclass(frozen=True, kw_only=True, slots=True)
class EnqueueResult:
    """The answer to who asked."""

    request_id: str | None  # None where there is nothing to refresh
    description: str  # in words
    joined: bool = False  # an earlier request will do as well
    repeated: bool = False  # this very request was made before, with the same idempotency key
    parts: tuple[QueuedPart, ...] = ()  # those of them that are about what was asked for now


def find_covering_parts(
    requests: Sequence[Collection[QueuedPart]], requested: Set[ManifestKey]
) -> tuple[QueuedPart, ...]:
    """The parts of the first of these requests that has every wanted manifest, those without any left out; none where
    no request has them all."""
    for parts in requests:
        matching_parts = tuple(part for part in parts if part.manifests & requested)
        if requested and requested <= frozenset().union(*(part.manifests for part in matching_parts)):
            return matching_parts
    return ()


def attempts_without_progress(run_ids: Sequence[str], productive_run_ids: Set[str]) -> int:
    """How many of the latest runs, in a row, got nothing done."""
    attempts = 0
    for run_id in reversed(run_ids):
        if run_id in productive_run_ids:
            break
        attempts += 1
    return attempts
