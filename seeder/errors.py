"""What can foreseeably go wrong, as one small tree.

An error's docstring is its message, filled with the facts it was raised with: what happened, to what, and what to do
next. Doors show it as it is, in one line, without a traceback.
"""

from inspect import cleandoc
from typing import ClassVar


class SeederError(Exception):
    """Something foreseeable went wrong."""

    def __init__(self, **facts: object) -> None:
        self.facts = facts
        # Under `python -OO` there are no docstrings; the bare facts are still better than nothing.
        message = cleandoc(type(self).__doc__ or f"{type(self).__name__} {facts}".replace("{", "{{").replace("}", "}}"))
        super().__init__(" ".join(message.format(**facts).split()))


class ConfigurationError(SeederError):
    """{setting} is {value!r}, but has to be {expected}."""


class ManifestError(SeederError):
    """A manifest's row cannot be planned; `reason` is the machine word for why."""

    reason: ClassVar[str]


class BadName(ManifestError):
    """{text!r} does not name a view: {problem}."""

    reason = "bad_name"


class DatabaseUnmapped(ManifestError):
    """The manifest's database_id {database_id} is none of {mapped}, which SEEDER['DATABASES'] maps to a database."""

    reason = "database_unmapped"


class ReportMissing(ManifestError):
    """The agency subscribes to {report}, which does not exist in reporting.seeder_canned_report."""

    reason = "report_missing"


class RequestError(SeederError):
    """The request itself is wrong."""


class UnknownAgency(RequestError):
    """No manifest names the agency {slug!r}.{suggestion}"""


class UnknownTable(RequestError):
    """No manifest names the table {table!r}.{suggestion}"""


class BadRetention(RequestError):
    """The history of {days} days cannot be kept: say a number of days from 1 to {max_days}. To keep everything, do not
    prune."""


class BadBatch(RequestError):
    """A batch cannot be of {batch} rows: say a number from 1 to {max_rows}."""


class UnknownJob(RequestError):
    """No enabled {report_type} manifest has the id {manifest_id}. Custom and canned reports have separate ids."""


class UnknownRun(SeederError):
    """There is no run {run_id!r}. `manage.py refresh_status --json` has the last run of each view."""


class UnknownRequest(SeederError):
    """Nothing was queued as the request {request_id!r}. `manage.py queue_status` has the requests of the last day."""


class BadTaskArgument(SeederError):
    """The argument {argument} of a task is {value!r}, but has to be of the type {expected}. Correct
    the schedule or the calling code."""


class QueueError(SeederError):
    """A refresh cannot be queued."""


class QueueMissing(QueueError):
    """Nothing can be queued here: {problem}. Do without the queue, then the refresh is run by who asks for it."""


class QueueMisconfigured(QueueError):
    """No cluster can be run with these settings: {problem} {hint}"""


class IdempotencyKeyTaken(QueueError):
    """The idempotency key {key!r} belongs to an earlier request, for {earlier_request}; this one is for {request}. Take
    another key."""


class BadIdempotencyKey(QueueError):
    """{key!r} cannot be an idempotency key: it has to be 1 to {max_length} characters, each of which PostgreSQL can
    store."""


class SnapshotError(SeederError):
    """A release snapshot cannot be taken or compared."""


class BadTag(SnapshotError):
    """{text!r} cannot be a release {field}: it has to be 1 to {max_length} printable characters, none of them a blank
    at an end."""


class SnapshotTaken(SnapshotError):
    """There is a snapshot of {view} at {tag!r} already. Snapshots are never changed: take another tag, or compare with
    that one."""


class ViewMissing(SnapshotError):
    """{view} does not exist in the database {alias!r}. `manage.py refresh_table` creates it."""


class NotAView(SnapshotError):
    """{view} in the database {alias!r} is no materialized view, so no release snapshot is taken of it."""


class NeverFilled(SnapshotError):
    """{view} was never filled, so there is nothing to record yet. `manage.py refresh_table` fills it."""


class NeverAnalyzed(SnapshotError):
    """The server has no sample of {view} and does not let us take one, so nothing can be estimated. Let its owner run
    ANALYZE, or do without --approximate."""


class UnknownColumn(SnapshotError):
    """{view} has no column {column!r}.{suggestion}"""


class ColumnInNoView(SnapshotError):
    """No view of {request} has a column {column!r}.{suggestion}"""


class AmbiguousView(SnapshotError):
    """{name} is a view in each of {aliases}, but a snapshot is identified by the name of its view. Rename one."""


class NothingToCapture(SnapshotError):
    """No enabled manifest matches {request}, so there is nothing to capture. Enable a manifest."""


class CaptureFailed(SnapshotError):
    """{view} could not be captured and nothing was recorded. After a lock or a time limit, capture it again when no
    refresh is running: {cause}"""


class UnknownSnapshot(SnapshotError):
    """There is no release snapshot {identity}. Compare tags with --table-name, and ids without it."""


class DifferentViews(SnapshotError):
    """Snapshot {base} is of {base_view} and snapshot {other} of {other_view}. Say so (--across-views, acrossViews=true)
    if you mean to compare two views."""


class DatabaseError(SeederError):
    """The database cannot serve the request."""


class NotPostgreSQL(DatabaseError):
    """DATABASES[{alias!r}] is {vendor}, but materialized views are PostgreSQL's: name a PostgreSQL database there."""


class ServerUnreachable(DatabaseError):
    """Cannot work with PostgreSQL at {address}, database {database!r}: {cause}. See that it runs there and accepts us,
    and that DATABASES[{alias!r}] is right (DB_HOST, DB_PORT, DB_NAME, DB_USER, DB_PASSWORD where these fill it)."""


class ServerFault(DatabaseError):
    """PostgreSQL at {address}, database {database!r}, could not do what it was asked to: {cause}. Nothing is wrong with
    the request, so try again later; what a run has left open is closed by the next one."""


class SchemaMissing(DatabaseError):
    """The database {database!r} at {address} is not as the contract has it: {cause}. Create missing tables with
    `manage.py install_schema`, see what else differs with `manage.py check --database {alias}`, or ask its owner."""


class PermissionMissing(DatabaseError):
    """The database {database!r} at {address} does not let us use the reporting tables: {cause}. Ask its owner for the
    privilege."""


class DeletingForbidden(DatabaseError):
    """Nothing was pruned: {role} may not delete from {tables}. Ask their owner for:
    GRANT DELETE ON {tables} TO {role};"""


class SessionsPooled(DatabaseError):
    """DATABASES[{alias!r}] leads through a proxy that gives each transaction another session. A lock that shows that a
    run is alive would mean nothing there: let it lead to PostgreSQL itself, or to a proxy that pools sessions."""


class ReadOnly(DatabaseError):
    """DATABASES[{alias!r}], database {database!r}, is read-only: a standby, or a server on which
    default_transaction_read_only is on. Name the primary."""


class RunLockLost(DatabaseError):
    """The run {run_id} lost the connection that shows it is alive, and another run closed its rows while it refreshed
    {view}. That refresh was undone and the run ends here: start it again. If it repeats, find what ends idle
    connections to the server."""


class ColumnsNamedTwice(DatabaseError):
    """The rows have more than one column of each of these names: {names}. Give every column a name of its own with
    AS."""


class StatementRefused(DatabaseError):
    """The statement could not be run: {cause}"""


class TransactionRolledBack(DatabaseError):
    """Nothing of the transaction was kept: one of its statements failed, and the error was caught inside of it. Let the
    error leave the transaction, or put what may fail into a transaction within it."""


class StartError(SeederError):
    """Django, or something for it, cannot be loaded."""


class SettingsMissing(StartError):
    """No settings are named. Set DJANGO_SETTINGS_MODULE, pass --settings host.settings, or change to the folder of the
    project's manage.py."""


class SettingsUnusable(StartError):
    """Django cannot be started with the settings {module!r}: {cause}. Name a settings module that can be imported from
    here (DJANGO_SETTINGS_MODULE, --settings, bootstrap_django), and see that its apps are installed."""


class SettingsConflict(StartError):
    """bootstrap_django({requested!r}): Django was started with {first!r} before, and a process can have only one. Start
    another process."""


class DjangoNotStarted(StartError):
    """Django is not started yet: call bootstrap_django("host.settings") first."""


class ClientUnusable(StartError):
    """DJANGO_DB_CLIENT_PATH is {path!r}, but has to be package.module:Class, of a class that is made without arguments:
    {cause}."""


class UnknownJobCommand(StartError):
    """There is no job {job!r}.{suggestion} `reporting-seeder list` names them."""


class UnusableJobCommand(StartError):
    """The job {job!r} of the app {app} cannot be loaded: {cause}."""
