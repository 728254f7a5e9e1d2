"""Expected errors.

The docstring of an error is its message, formatted with the keyword arguments: what happened, to what, what to do
next. Commands, API and pages show it in one line, without a traceback.
"""

import re
from typing import Any, ClassVar

from seeder.texts import OneLineText


class SeederError(Exception):
    """Base class of expected errors.

    `code` names the kind of error for programs, in the API and in rows. It is the class's name in snake case, unless a
    class sets another one.
    """

    code: ClassVar[str] = "error"

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "code" not in vars(cls):
            cls.code = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", cls.__name__).lower()

    def __init__(self, **facts: object) -> None:
        self.facts = facts
        # `python -OO` strips docstrings: then the message is the class and its facts.
        template = type(self).__doc__ or type(self).__name__ + "".join(f" {name}={{{name}!r}}" for name in facts)
        super().__init__(OneLineText(" ".join(template.split()), **facts))


class ConfigurationError(SeederError):
    """{setting} is {value!r}, but must be {expected}."""


class NotSchedulable(ConfigurationError):
    """{setting} is {value!r}, which cannot be scheduled: {problem}."""


class BadCron(SeederError):
    """{expression!r} is not a cron expression: {problem}."""


class ManifestError(SeederError):
    """A manifest cannot be planned. `reason` is the machine-readable cause."""

    reason: ClassVar[str]


class BadName(ManifestError):
    """{text!r} is not a view's name: {problem}."""

    reason = "bad_name"


class DatabaseUnmapped(ManifestError):
    """The manifest's database_id {database_id} is not in SEEDER['DATABASES'], which has {mapped}."""

    reason = "database_unmapped"


class ReportMissing(ManifestError):
    """The agency subscribes to {report}, which does not exist in reporting.seeder_canned_report."""

    reason = "report_missing"


class RequestError(SeederError):
    """The request is invalid."""


class UnknownObject(RequestError):
    """The request names an object that does not exist."""


class UnknownAgency(UnknownObject):
    """No manifest names the agency {slug!r}.{suggestion}"""


class UnknownTable(UnknownObject):
    """No manifest names the table {table!r}.{suggestion}"""


class BadRetention(RequestError):
    """Cannot keep a history of {days} days: give a number from 1 to {max_days}. To keep everything, do not prune."""


class BadBatch(RequestError):
    """A batch cannot have {batch} rows: give a number from 1 to {max_rows}."""


class UnknownJob(UnknownObject):
    """No enabled {report_type} manifest has the id {manifest_id}. Custom and canned reports have separate ids."""


class UnknownRun(UnknownObject):
    """There is no run {run_id!r}. `manage.py refresh_status --json` has the last run of each view."""


class UnknownRequest(UnknownObject):
    """There is no queued request {request_id!r}. `manage.py queue_status` has the requests of the last day."""


class BadTaskArgument(SeederError):
    """The task's argument {argument} is {value!r}, but its type must be {expected}. Correct the schedule or the calling
    code."""


class QueueError(SeederError):
    """A refresh cannot be queued."""


class QueueMissing(QueueError):
    """Nothing can be queued: {problem}. Without the queue, the caller does the work itself."""


class QueueMisconfigured(QueueError):
    """A cluster cannot run with these settings: {problem} {hint}"""


class IdempotencyKeyTaken(QueueError):
    """The idempotency key {key!r} belongs to an earlier request for {earlier_request}. This request is for {request}.
    Use another key."""


class BadIdempotencyKey(QueueError):
    """{key!r} is not an idempotency key: it must be 1 to {max_length} characters that PostgreSQL can store."""


class SnapshotError(SeederError):
    """A release snapshot cannot be taken or compared."""


class BadTag(SnapshotError):
    """{text!r} is not a release {field}: it must be 1 to {max_length} printable characters without a blank at either
    end."""


class SnapshotTaken(SnapshotError):
    """{view} already has a snapshot at {tag!r}. Snapshots are never changed: use another tag, or compare with that
    one."""


class ViewMissing(SnapshotError):
    """{view} does not exist in the database {alias!r}. `manage.py refresh_table` creates it."""


class NotAView(SnapshotError):
    """{view} in the database {alias!r} is not a materialized view. Only materialized views have release snapshots."""


class NeverFilled(SnapshotError):
    """{view} was never filled, so there is nothing to record. `manage.py refresh_table` fills it."""


class NeverAnalyzed(SnapshotError):
    """The server has no statistics of {view}, and seeder's role may not ANALYZE it, so nothing can be estimated. Let
    the owner run ANALYZE, or omit --approximate."""


class UnknownColumn(SnapshotError):
    """{view} has no column {column!r}.{suggestion}"""


class ColumnInNoView(SnapshotError):
    """No view of {request} has a column {column!r}.{suggestion}"""


class AmbiguousView(SnapshotError):
    """{name} is a view in each of the databases {aliases}, but a snapshot is stored by the view's name only. Rename
    one."""


class NothingToCapture(SnapshotError):
    """No enabled manifest matches {request}, so there is nothing to capture. Enable a manifest."""


class CaptureFailed(SnapshotError):
    """{view} could not be captured and nothing was recorded. After a lock or a time limit, capture it again when no
    refresh is running: {cause}"""


class UnknownSnapshot(UnknownObject):
    """There is no release snapshot {identity}. Compare tags with --table-name, and ids without it."""


class DifferentViews(SnapshotError):
    """Snapshot {base} is of {base_view}, snapshot {other} is of {other_view}. To compare two views use --across-views
    (API: acrossViews=true)."""


class DatabaseError(SeederError):
    """The database cannot serve the request."""


class NotPostgreSQL(DatabaseError):
    """DATABASES[{alias!r}] is {vendor}, but materialized views need PostgreSQL: configure a PostgreSQL database."""

    code = "not_postgresql"


class ServerUnreachable(DatabaseError):
    """Cannot connect to PostgreSQL at {address}, database {database!r}: {cause}. Check that it is running and accepts
    the connection, and that DATABASES[{alias!r}] is right (DB_HOST, DB_PORT, DB_NAME, DB_USER, DB_PASSWORD)."""


class ServerFault(DatabaseError):
    """PostgreSQL at {address}, database {database!r}, failed: {cause}. The request is valid, so try again later. The
    next run closes what an interrupted run left open."""


class ServerOutOfMemory(ServerFault):
    """PostgreSQL at {address}, database {database!r}, failed: {cause}. "Out of shared memory" usually means that its
    lock table is full: raise max_locks_per_transaction, which needs a restart. Otherwise the server lacks memory: lower
    work_mem."""


class SchemaMissing(DatabaseError):
    """The database {database!r} at {address} does not match the contract: {cause}. Create missing tables with
    `manage.py install_schema`, list other differences with `manage.py check --database {alias}`, or ask its owner."""


class PermissionMissing(DatabaseError):
    """Seeder's role may not use the reporting tables in the database {database!r} at {address}: {cause}. Ask the owner
    for the privilege."""


class DeletingForbidden(DatabaseError):
    """Nothing was pruned: {role} may not delete from {tables}. Ask their owner for:
    GRANT DELETE ON {tables} TO {role};"""


class SessionsPooled(DatabaseError):
    """DATABASES[{alias!r}] connects through a proxy that pools transactions. Session locks, which show that a run is
    alive, do not work there: connect to PostgreSQL directly, or through a proxy that pools sessions."""


class ReadOnly(DatabaseError):
    """DATABASES[{alias!r}], database {database!r}, is read-only: a standby, or a server with
    default_transaction_read_only. Configure the primary."""


class RunLockLost(DatabaseError):
    """The run {run_id} lost the connection that holds its lock, and another run closed its rows while it refreshed
    {view}. That refresh was rolled back and the run has ended: start it again. If it repeats, find what ends idle
    connections to the server."""


class ColumnsNamedTwice(DatabaseError):
    """The query returns several columns of the same name: {names}. Give each column its own name with AS."""


class StatementRefused(DatabaseError):
    """The statement could not be run: {cause}"""


class TransactionRolledBack(DatabaseError):
    """The transaction was rolled back: one of its statements failed, and the error was caught inside the transaction.
    Let the error leave it, or run the statement that may fail in a nested transaction."""


class StartError(SeederError):
    """Django or one of its settings cannot be loaded."""


class SettingsMissing(StartError):
    """No settings module is given. Set DJANGO_SETTINGS_MODULE, pass --settings host.settings, or change to the folder
    of the project's manage.py."""


class SettingsUnusable(StartError):
    """Django cannot start with the settings {module!r}: {cause}. Give a settings module that can be imported
    (DJANGO_SETTINGS_MODULE, --settings, bootstrap_django), and check that its apps are installed."""


class ExtraMissing(StartError, ImportError):
    """{feature} needs {distribution}: pip install 'reporting-seeder[{extra}]'"""


class ClientUnusable(StartError):
    """DJANGO_DB_CLIENT_PATH is {path!r}, but must be package.module:Class of a class without arguments: {cause}."""


class UnknownJobCommand(StartError):
    """There is no job {job!r}.{suggestion} `reporting-seeder list` lists them."""


class UnusableJobCommand(StartError):
    """The job {job!r} of the app {app} cannot be loaded: {cause}."""
