"""What was asked for and waits for whichever worker gets to it, as values."""

from collections.abc import Collection, Sequence, Set
from dataclasses import dataclass
from enum import StrEnum

from seeder.domain.manifests import ReportType, ViewKey

ManifestKey = tuple[ReportType, int]

# In a row, of runs of a part that ended before any of its views was refreshed. Whatever makes a worker die of a part,
# or keeps it beyond the time limit, will do so again; each attempt that got something done leaves less to do, so that
# no number of restarts of healthy clusters is too high.
MOST_ATTEMPTS = 5


class State(StrEnum):
    """How far a part has come; never backwards from ended."""

    QUEUED = "queued"
    RUNNING = "running"
    ENDED = "ended"


@dataclass(frozen=True, kw_only=True, slots=True)
class QueuedPart:
    """One part of a request."""

    id: int
    number: int  # from 1 on
    state: State
    manifests: frozenset[ManifestKey]
    views: tuple[ViewKey, ...]  # most urgent first
    agencies: tuple[str, ...]  # of its manifests; not everybody who asks may see them all
    run_ids: tuple[str, ...] = ()  # the latest last


@dataclass(frozen=True, kw_only=True, slots=True)
class Queued:
    """The answer to who asked."""

    request_id: str | None  # None where there is nothing to refresh
    asked_for: str  # in words
    joined: bool = False  # an earlier request will do as well
    repeated: bool = False  # this very request was made before, with the same idempotency key
    parts: tuple[QueuedPart, ...] = ()  # those of them that are about what was asked for now


def covering(requests: Sequence[Collection[QueuedPart]], wanted: Set[ManifestKey]) -> tuple[QueuedPart, ...]:
    """The parts of the first of these requests that has every wanted manifest, those without any left out; none where
    no request has them all."""
    for parts in requests:
        serving = tuple(part for part in parts if part.manifests & wanted)
        if wanted and wanted <= frozenset().union(*(part.manifests for part in serving)):
            return serving
    return ()


def fruitless(run_ids: Sequence[str], fruitful: Set[str]) -> int:
    """How many of the latest runs, in a row, got nothing done."""
    attempts = 0
    for run_id in reversed(run_ids):
        if run_id in fruitful:
            break
        attempts += 1
    return attempts
