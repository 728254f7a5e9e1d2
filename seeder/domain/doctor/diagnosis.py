"""What can be wrong with a database: every word for it, and one thing found.

The words are here alone; docs/reference/checks.md explains each.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Self


class Level(IntEnum):
    """How grave it is; the names are those of Django's checks."""

    INFO = 20  # worth knowing
    WARNING = 30  # refreshes go on, though not as they should
    ERROR = 40  # keeps views from being refreshed, or the queue from working

    def __str__(self) -> str:
        return self.name.lower()


class Area(StrEnum):
    """What it is about, in the order in which it is read."""

    DOCTOR = "the examination itself"
    SERVER = "server and role"
    TABLES = "reporting tables"
    MANIFESTS = "manifests"
    PERMISSIONS = "permissions"
    VIEWS = "views"
    QUEUE = "queue"
    SETTINGS = "settings"
    STATISTICS = "statistics"


class Problem(StrEnum):
    """Each thing that can be found, with its area, its level and what it means."""

    area: Area
    level: Level
    meaning: str

    def __new__(cls, code: str, area: Area, level: Level, meaning: str) -> Self:
        member = str.__new__(cls, code)
        member._value_ = code
        member.area, member.level, member.meaning = area, level, meaning
        return member

    DATABASE_UNREACHABLE = (
        "database_unreachable",
        Area.DOCTOR,
        Level.ERROR,
        "a mapped database that cannot be asked",
    )
    CHECK_FAILED = "check_failed", Area.DOCTOR, Level.WARNING, "what could not be looked at"

    SERVER_UNSUPPORTED = "server_unsupported", Area.SERVER, Level.ERROR, "a server older than PostgreSQL 15"
    SERVER_UNPATCHED = "server_unpatched", Area.SERVER, Level.WARNING, "a server without the fix for CVE-2024-0985"
    READ_ONLY = "read_only", Area.SERVER, Level.ERROR, "nothing can be written here"
    SESSIONS_POOLED = "sessions_pooled", Area.SERVER, Level.ERROR, "a proxy gives each transaction another session"
    BREAKER_OPEN = "breaker_open", Area.SERVER, Level.ERROR, "a circuit breaker that lets nothing start"
    LOCK_TIMEOUT_LOW = "lock_timeout_low", Area.SERVER, Level.ERROR, "refreshes give up before an autovacuum yields"
    TOO_FEW_CONNECTIONS = "too_few_connections", Area.SERVER, Level.WARNING, "fewer connections than a run wants"
    TRANSACTION_TIMEOUT = "transaction_timeout", Area.SERVER, Level.WARNING, "the server ends long refreshes"
    IDLE_SESSION_TIMEOUT = "idle_session_timeout", Area.SERVER, Level.WARNING, "the server ends a run's session"
    ROLE_SUPERUSER = "role_superuser", Area.SERVER, Level.INFO, "our role may do anything"

    TABLE_MISSING = "table_missing", Area.TABLES, Level.ERROR, "a table of the contract that is not there"
    COLUMN_MISSING = "column_missing", Area.TABLES, Level.ERROR, "a column of the contract that is not there"
    COLUMN_DIFFERS = "column_differs", Area.TABLES, Level.WARNING, "a column that is not as the contract has it"
    OPTIONAL_MISSING = "optional_missing", Area.TABLES, Level.INFO, "an optional table that is not there"
    OPTIONAL_UNUSABLE = "optional_unusable", Area.TABLES, Level.WARNING, "an optional table that cannot be used"
    TABLE_FORBIDDEN = "table_forbidden", Area.TABLES, Level.ERROR, "our role may not use a table of the contract"

    BAD_NAME = "bad_name", Area.MANIFESTS, Level.ERROR, "a manifest whose view's name cannot be read"
    DATABASE_UNMAPPED = "database_unmapped", Area.MANIFESTS, Level.ERROR, "a manifest of an unknown database"
    REPORT_MISSING = "report_missing", Area.MANIFESTS, Level.ERROR, "a subscription to a report that is gone"

    SCHEMA_FORBIDDEN = "schema_forbidden", Area.PERMISSIONS, Level.ERROR, "a schema that our role may not look into"
    CREATE_FORBIDDEN = "create_forbidden", Area.PERMISSIONS, Level.ERROR, "missing views that our role may not create"
    VIEW_FORBIDDEN = "view_forbidden", Area.PERMISSIONS, Level.ERROR, "a view that our role may not refresh"
    SOURCE_FORBIDDEN = "source_forbidden", Area.PERMISSIONS, Level.ERROR, "a view whose owner may not read its source"
    TEMP_FORBIDDEN = (
        "temp_forbidden",
        Area.PERMISSIONS,
        Level.ERROR,
        "an owner who may not refresh concurrently for want of temporary tables",
    )
    STATS_HIDDEN = "stats_hidden", Area.PERMISSIONS, Level.WARNING, "the throttle counts our own queries alone"

    SCHEMA_MISSING = "schema_missing", Area.VIEWS, Level.ERROR, "a manifest's schema that is not there"
    NOT_MATERIALIZED_VIEW = (
        "not_materialized_view",
        Area.VIEWS,
        Level.ERROR,
        "what a manifest names is no materialized view",
    )
    QUERY_REFUSED = "query_refused", Area.VIEWS, Level.ERROR, "a missing view whose query cannot be a view"
    CONCURRENT_REFUSED = (
        "concurrent_refused",
        Area.VIEWS,
        Level.ERROR,
        "a view that has to be refreshed concurrently and cannot be",
    )
    VIEW_MISSING = "view_missing", Area.VIEWS, Level.WARNING, "a view that does not exist yet"
    VIEW_NOT_POPULATED = (
        "view_not_populated",
        Area.VIEWS,
        Level.WARNING,
        "a view that was never filled and cannot be read",
    )
    DEFINITION_DRIFT = "definition_drift", Area.VIEWS, Level.WARNING, "a view that was created from another query"
    FUNCTION_UNQUALIFIED = (
        "function_unqualified",
        Area.VIEWS,
        Level.WARNING,
        "a function in a view that needs a search_path, of which a refresh has none",
    )
    INDEX_INVALID = "index_invalid", Area.VIEWS, Level.WARNING, "an index that nobody can use"
    CONCURRENT_FALLS_BACK = (
        "concurrent_falls_back",
        Area.VIEWS,
        Level.WARNING,
        "a view whose readers wait although refreshes are concurrent",
    )
    FUNCTION_UPGRADE = (
        "function_upgrade",
        Area.VIEWS,
        Level.INFO,
        "a function in a view that PostgreSQL 17 will not find its names for",
    )
    CONCURRENT_UNREADY = (
        "concurrent_unready",
        Area.VIEWS,
        Level.INFO,
        "a view that could not be refreshed concurrently",
    )
    DRIFT_UNKNOWN = "drift_unknown", Area.VIEWS, Level.INFO, "a query that could not be compared with its view"
    VIEW_WITHOUT_MANIFEST = (
        "view_without_manifest",
        Area.VIEWS,
        Level.INFO,
        "a materialized view that no manifest names",
    )

    QUEUE_BLOCKED = "queue_blocked", Area.QUEUE, Level.ERROR, "what stops the queue's schedules"
    QUEUE_FAULT = "queue_fault", Area.QUEUE, Level.ERROR, "a setting of the queue with which tasks go wrong"
    QUEUE_RISK = "queue_risk", Area.QUEUE, Level.WARNING, "a setting of the queue that can cost tasks"
    QUEUE_MISSING = "queue_missing", Area.QUEUE, Level.WARNING, "nothing can be queued"

    SETTING_WRONG = "setting_wrong", Area.SETTINGS, Level.ERROR, "a setting that names what is not there"

    PG_STAT_STATEMENTS_UNLOADED = (
        "pg_stat_statements_unloaded",
        Area.STATISTICS,
        Level.INFO,
        "pg_stat_statements is not preloaded",
    )
    PG_STAT_STATEMENTS_MISSING = (
        "pg_stat_statements_missing",
        Area.STATISTICS,
        Level.INFO,
        "pg_stat_statements is not created",
    )
    PG_STAT_STATEMENTS_OUTDATED = (
        "pg_stat_statements_outdated",
        Area.STATISTICS,
        Level.INFO,
        "pg_stat_statements is too old",
    )
    PG_STAT_STATEMENTS_FORBIDDEN = (
        "pg_stat_statements_forbidden",
        Area.STATISTICS,
        Level.INFO,
        "pg_stat_statements cannot be read",
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Diagnosis:
    """One thing found, and what to do about it."""

    problem: Problem
    database: str  # Django's alias
    subject: str  # the view, table, role or setting
    message: str  # what is wrong, in a sentence
    fix: str  # what to do, and who can
    sql: str = ""  # to be pasted into psql in that database; empty where SQL alone is no cure

    @property
    def level(self) -> Level:
        return self.problem.level

    @property
    def sort_key(self) -> tuple[int, int, int, str, str, str]:
        """The gravest first, then as people read it."""
        words, areas = list(Problem), list(Area)
        return (
            -self.level,
            areas.index(self.problem.area),
            words.index(self.problem),
            self.database,
            self.subject,
            self.message,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckedDatabase:
    """A database that was looked at."""

    alias: str
    server_version: str  # its version as it calls it
    role: str  # ours there
    view_count: int  # that manifests ask for there


@dataclass(frozen=True, kw_only=True, slots=True)
class DoctorReport:
    """All that was looked at and found, the gravest first."""

    databases: tuple[CheckedDatabase, ...]
    diagnoses: tuple[Diagnosis, ...]

    def count(self, level: Level) -> int:
        return sum(one.level is level for one in self.diagnoses)

    def has_level_at_least(self, level: Level) -> bool:
        """Whether anything found is as grave as that, or graver."""
        return any(one.level >= level for one in self.diagnoses)


def group_by_problem(diagnoses: Sequence[Diagnosis]) -> dict[tuple[Problem, str], list[Diagnosis]]:
    """Those of one word in one database together, in their order."""
    groups: dict[tuple[Problem, str], list[Diagnosis]] = {}
    for one in diagnoses:
        groups.setdefault((one.problem, one.database), []).append(one)
    return groups
