"""Problems that the doctor can find, and one found problem. docs/reference/checks.md explains each."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Self


class Level(IntEnum):
    """Severity, named and numbered as in Django's checks."""

    INFO = 20  # no effect now
    WARNING = 30  # refreshes work with limitations
    ERROR = 40  # stops refreshes or the queue

    def __str__(self) -> str:
        return self.name.lower()


class Area(StrEnum):
    """Area of a problem, in the order of the report."""

    DOCTOR = "the check itself"
    SERVER = "server and role"
    TABLES = "reporting tables"
    MANIFESTS = "manifests"
    PERMISSIONS = "permissions"
    VIEWS = "views"
    QUEUE = "queue"
    SETTINGS = "settings"
    STATISTICS = "statistics"


class Problem(StrEnum):
    """Every problem with its area, level and meaning."""

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
        "a mapped database does not answer",
    )
    CHECK_FAILED = "check_failed", Area.DOCTOR, Level.WARNING, "a check could not be made"

    SERVER_UNSUPPORTED = "server_unsupported", Area.SERVER, Level.ERROR, "a server older than PostgreSQL 15"
    SERVER_UNPATCHED = "server_unpatched", Area.SERVER, Level.WARNING, "a server without the fix for CVE-2024-0985"
    READ_ONLY = "read_only", Area.SERVER, Level.ERROR, "a read-only server"
    SESSIONS_POOLED = "sessions_pooled", Area.SERVER, Level.ERROR, "a proxy gives each transaction another session"
    BREAKER_OPEN = "breaker_open", Area.SERVER, Level.ERROR, "an open circuit breaker stops all starts"
    LOCK_TIMEOUT_LOW = "lock_timeout_low", Area.SERVER, Level.ERROR, "refreshes give up before an autovacuum yields"
    TOO_FEW_CONNECTIONS = "too_few_connections", Area.SERVER, Level.WARNING, "fewer connections than a run needs"
    TRANSACTION_TIMEOUT = "transaction_timeout", Area.SERVER, Level.WARNING, "the server ends long refreshes"
    IDLE_SESSION_TIMEOUT = "idle_session_timeout", Area.SERVER, Level.WARNING, "the server ends a run's session"
    ROLE_SUPERUSER = "role_superuser", Area.SERVER, Level.INFO, "seeder's role is a superuser"

    TABLE_MISSING = "table_missing", Area.TABLES, Level.ERROR, "a table of the contract is missing"
    COLUMN_MISSING = "column_missing", Area.TABLES, Level.ERROR, "a column of the contract is missing"
    COLUMN_DIFFERS = "column_differs", Area.TABLES, Level.WARNING, "a column differs from the contract"
    OPTIONAL_MISSING = "optional_missing", Area.TABLES, Level.INFO, "an optional table is missing"
    OPTIONAL_UNUSABLE = "optional_unusable", Area.TABLES, Level.WARNING, "an optional table that cannot be used"
    TABLE_FORBIDDEN = "table_forbidden", Area.TABLES, Level.ERROR, "seeder's role may not use a table of the contract"

    BAD_NAME = "bad_name", Area.MANIFESTS, Level.ERROR, "a manifest with an invalid view name"
    DATABASE_UNMAPPED = "database_unmapped", Area.MANIFESTS, Level.ERROR, "a manifest of an unknown database"
    REPORT_MISSING = "report_missing", Area.MANIFESTS, Level.ERROR, "a subscription to a missing report"

    SCHEMA_FORBIDDEN = "schema_forbidden", Area.PERMISSIONS, Level.ERROR, "a schema that seeder's role may not use"
    CREATE_FORBIDDEN = (
        "create_forbidden",
        Area.PERMISSIONS,
        Level.ERROR,
        "missing views that seeder's role may not create",
    )
    VIEW_FORBIDDEN = "view_forbidden", Area.PERMISSIONS, Level.ERROR, "a view that seeder's role may not refresh"
    SOURCE_FORBIDDEN = "source_forbidden", Area.PERMISSIONS, Level.ERROR, "a view whose owner may not read its source"
    TEMP_FORBIDDEN = (
        "temp_forbidden",
        Area.PERMISSIONS,
        Level.ERROR,
        "a view whose owner may not create temporary tables, which a concurrent refresh needs",
    )
    STATS_HIDDEN = "stats_hidden", Area.PERMISSIONS, Level.WARNING, "the throttle counts only seeder's own queries"

    SCHEMA_MISSING = "schema_missing", Area.VIEWS, Level.ERROR, "a manifest names a missing schema"
    NOT_MATERIALIZED_VIEW = (
        "not_materialized_view",
        Area.VIEWS,
        Level.ERROR,
        "a manifest names a relation that is not a materialized view",
    )
    QUERY_REFUSED = "query_refused", Area.VIEWS, Level.ERROR, "a missing view whose query PostgreSQL rejects"
    CONCURRENT_REFUSED = (
        "concurrent_refused",
        Area.VIEWS,
        Level.ERROR,
        "a view that may only be refreshed concurrently, which is not possible",
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
        "a function in a view depends on the search_path, which a refresh resets",
    )
    INDEX_INVALID = "index_invalid", Area.VIEWS, Level.WARNING, "an invalid index"
    CONCURRENT_FALLS_BACK = (
        "concurrent_falls_back",
        Area.VIEWS,
        Level.WARNING,
        "a view that is refreshed plainly, which blocks readers, although refreshes are concurrent",
    )
    FUNCTION_UPGRADE = (
        "function_upgrade",
        Area.VIEWS,
        Level.INFO,
        "a function in a view depends on the search_path, which PostgreSQL 17 resets in a refresh",
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

    QUEUE_BLOCKED = "queue_blocked", Area.QUEUE, Level.ERROR, "a problem stops the queue's schedules"
    QUEUE_FAULT = "queue_fault", Area.QUEUE, Level.ERROR, "a setting of the queue breaks tasks"
    QUEUE_RISK = "queue_risk", Area.QUEUE, Level.WARNING, "a setting of the queue that can cost tasks"
    QUEUE_MISSING = "queue_missing", Area.QUEUE, Level.WARNING, "nothing can be queued"

    SETTING_WRONG = "setting_wrong", Area.SETTINGS, Level.ERROR, "a setting names something that does not exist"

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
    """A found problem and its fix."""

    problem: Problem
    database: str  # Django's alias
    subject: str  # the view, table, role or setting
    message: str  # one sentence
    fix: str  # what to do, and which role can do it
    sql: str = ""  # to paste into psql in that database; empty if SQL alone does not fix it

    @property
    def level(self) -> Level:
        return self.problem.level

    @property
    def sort_key(self) -> tuple[int, int, int, str, str, str]:
        """Sort key: most severe first, then by area."""
        problems, areas = list(Problem), list(Area)
        return (
            -self.level,
            areas.index(self.problem.area),
            problems.index(self.problem),
            self.database,
            self.subject,
            self.message,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckedDatabase:
    """A checked database."""

    alias: str
    server_version: str
    role: str  # seeder's role there
    view_count: int  # views that manifests request there


@dataclass(frozen=True, kw_only=True, slots=True)
class DoctorReport:
    """Checked databases and found problems, most severe first."""

    databases: tuple[CheckedDatabase, ...]
    diagnoses: tuple[Diagnosis, ...]

    def count(self, level: Level) -> int:
        return sum(one.level is level for one in self.diagnoses)

    def has_level_at_least(self, level: Level) -> bool:
        """Return whether any problem is at or above the level."""
        return any(one.level >= level for one in self.diagnoses)


def group_by_problem(diagnoses: Sequence[Diagnosis]) -> dict[tuple[Problem, str], list[Diagnosis]]:
    """Group by problem and database, in order."""
    groups: dict[tuple[Problem, str], list[Diagnosis]] = {}
    for one in diagnoses:
        groups.setdefault((one.problem, one.database), []).append(one)
    return groups
