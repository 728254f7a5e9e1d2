"""Whether views can be refreshed, in words for whoever may ask: none of them says where, why or which."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum


class Word(StrEnum):
    """How a thing stands."""

    OK = "ok"
    ABSENT = "absent"  # it need not be there, and is not
    UNKNOWN = "unknown"  # nobody could ask, or nothing would tell
    WRONG = "wrong"  # as it is, no run begins
    UNREACHABLE = "unreachable"  # refused, lost, or no answer in time
    UNABLE = "unable"  # it answers, that it cannot
    READ_ONLY = "read-only"  # a standby, or set to be
    POOLED = "pooled"  # behind a proxy that gives each transaction another session
    MISSING = "missing"
    UNUSABLE = "unusable"
    OPEN = "open"
    CLOSED = "closed"
    WORKING = "working"
    IDLE = "idle"
    SILENT = "silent"  # something has been waiting for a while, and nobody is at anything


class State(StrEnum):
    READY = "ready"
    DEGRADED = "degraded"  # refreshes can be asked for; some will not be done for now
    NOT_READY = "not ready"


@dataclass(frozen=True, kw_only=True, slots=True)
class Health:
    """What was found, each in a word."""

    settings: Word = Word.UNKNOWN
    database: Word = Word.UNKNOWN  # the one that holds manifests and history
    tables: Word = Word.UNKNOWN  # those of the contract that are not optional
    privileges: Word = Word.UNKNOWN  # to read the manifests and write the history
    queue: Word = Word.UNKNOWN
    workers: Word = Word.UNKNOWN
    breaker: Word = Word.UNKNOWN  # open if that of any database is
    other_databases: Word = Word.ABSENT  # that SEEDER['DATABASES'] names; the worst of them

    @property
    def words(self) -> Mapping[str, Word]:
        return asdict(self)

    @property
    def state(self) -> State:
        """An open breaker closes by itself, and workers come back: who looks through this door for what is wrong must
        not find it shut because of them."""
        needed = {self.settings, self.database, self.tables, self.privileges, self.queue}
        if not needed <= {Word.OK, Word.ABSENT}:
            return State.NOT_READY
        is_well = self.workers is not Word.SILENT and self.breaker is not Word.OPEN
        return State.READY if is_well and self.other_databases in {Word.OK, Word.ABSENT} else State.DEGRADED
