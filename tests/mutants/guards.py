"""The guards of this app, and the tests that fail without them.

A guard is code that is rarely needed, so that its absence is not noticed: a lock, a comparison before a write, a check
of permissions. `python -m tests.mutants` breaks one after the other.
"""

from tests.mutants.check_guards import CHECKS
from tests.mutants.explanation_guards import EXPLANATIONS
from tests.mutants.freshness_guards import FRESHNESS
from tests.mutants.http_guards import HTTP
from tests.mutants.load_api_guards import LOAD_API
from tests.mutants.load_guards import LOADS
from tests.mutants.manifest_guards import MANIFESTS
from tests.mutants.mode_guards import MODES
from tests.mutants.mutant import Mutant
from tests.mutants.silver_guards import SILVER
from tests.mutants.statistics_guards import STATISTICS
from tests.mutants.upload_guards import INGESTION

CANCELLATION = "tests/integration/test_cancellation.py"
PART_EXECUTION = "tests/integration/test_part_execution.py"
ENQUEUE = "tests/integration/test_enqueue.py"
LOST_COMMITS = "tests/integration/test_lost_commits.py"
OTHER_RUNS = "tests/integration/test_refreshes_by_other_runs.py"
BAD_INPUT = "tests/acceptance/test_bad_input.py"
API_ACCESS = "tests/acceptance/test_api_access.py"
API_ERRORS = "tests/acceptance/test_api_errors.py"
API_REFRESHING = "tests/acceptance/test_api_refresh_views.py"
ADMIN = "tests/integration/admin"
ADMISSION = "tests/integration/test_admission_control.py"
KILLING = "tests/acceptance/test_killing.py"
RELOADS = "tests/faults/test_reloaded_inputs.py"

LOCKS = [
    Mutant(
        name="lock: inputs are locked before the snapshot of a refresh",
        file="seeder/postgres/input_locks.sql",
        old="EXECUTE format('LOCK TABLE %%s IN ACCESS SHARE MODE NOWAIT', array_to_string(inputs, ', '));",
        new="",
        tests=(RELOADS,),
    ),
    Mutant(
        name="transactions: they begin READ COMMITTED",
        file="seeder/postgres/transactions.py",
        old="_begins_with(using, psycopg.IsolationLevel.READ_COMMITTED)",
        new="_begins_with(using, sessions.driver_connection(using).isolation_level)",
        tests=("tests/integration/test_transactions.py",),
    ),
    Mutant(
        name="lock: no input is held while another is awaited",
        file="seeder/postgres/input_locks.sql",
        old="IN ACCESS SHARE MODE NOWAIT'",
        new="IN ACCESS SHARE MODE'",
        tests=(RELOADS,),
    ),
    Mutant(
        name="lock: a plan waits for a table without holding others",
        file="seeder/postgres/transactions.py",
        old="SET LOCAL lock_timeout = '50ms'",
        new="SET LOCAL lock_timeout = '3s'",
        tests=(RELOADS,),
    ),
    Mutant(
        name="lock: inputs of a missing view are locked before its creation",
        file="seeder/postgres/input_locks.py",
        old='inputs_of(catalog.find_used_objects(database, [view], kinds=("v",))[view])',
        new="ViewInputs()",
        tests=(RELOADS,),
    ),
    Mutant(
        name="lock: inputs behind a plain view are looked up again",
        file="seeder/postgres/catalog.sql",
        old="coalesce(c.relkind = 'v' OR c.relrowsecurity, l.lanname NOT IN ('c', 'internal')) AS can_change",
        new="false AS can_change",
        tests=(RELOADS,),
    ),
    Mutant(
        name="plan: constraints of domains lead to dependencies",
        file="seeder/postgres/catalog.sql",
        old="WHERE used.classid = 'pg_type'::regclass AND k.contypid = used.objid",
        new="WHERE false",
        tests=("tests/cases/test_hidden_dependencies.py",),
    ),
    Mutant(
        name="drift: a confirmed query is compared again after its sources changed",
        file="seeder/postgres/view_survey.py",
        old='text = f"{sources} {query}"',
        new='text = f"{query}"',
        tests=("tests/cases/test_changed_sources.py",),
    ),
    Mutant(
        name="plan: a missing view finds the views of earlier portions",
        file="seeder/postgres/missing_views.py",
        old="needed = (self._named[view] & self._stubs.keys()) - stubs",
        new="needed: set[ViewName] = set()",
        tests=("tests/cases/test_lock_table.py",),
    ),
    Mutant(
        name="lock: one run refreshes a view at a time",
        file="seeder/domain/lock_keys.py",
        old='return f"seeder.view {view}"',
        new='return f"seeder.view {id(object())}"',
        tests=(OTHER_RUNS,),
    ),
    Mutant(
        name="lock: recovery skips a view that is being refreshed",
        file="seeder/services/run/orphan_recovery.py",
        old="return name is None or advisory_locks.try_lock(DEFAULT_DB_ALIAS, lock_keys.of_view(name))",
        new="return True",
        tests=(KILLING,),
    ),
    Mutant(
        name="lock: a run whose lock is held is not dead",
        file="seeder/postgres/advisory_locks.sql",
        old="SELECT pg_try_advisory_xact_lock(",
        new="SELECT true OR pg_try_advisory_xact_lock(",
        tests=(KILLING,),
    ),
    Mutant(
        name="lock: a run holds its lock",
        file="seeder/postgres/advisory_locks.sql",
        old="ELSE pg_advisory_lock(hash)::text END",
        new="ELSE '' END",
        tests=("tests/integration/test_run_liveness_lock.py",),
    ),
    Mutant(
        name="lock: one request is queued at a time",
        file="seeder/services/queue/enqueue.py",
        old="advisory_locks.lock(DEFAULT_DB_ALIAS, lock_keys.ENQUEUE)",
        new="pass",
        tests=(ENQUEUE,),
    ),
    Mutant(
        name="lock: one process prunes at a time",
        file="seeder/services/history_pruning.py",
        old="advisory_locks.lock(DEFAULT_DB_ALIAS, lock_keys.PRUNE)",
        new="pass",
        tests=("tests/acceptance/test_pruning.py",),
    ),
    Mutant(
        name="lock: one process installs the schema at a time",
        file="seeder/postgres/contract.py",
        old="advisory_locks.lock(database, lock_keys.INSTALL)",
        new="pass",
        tests=("tests/integration/test_contract.py",),
    ),
]

CLAIMS = [
    Mutant(
        name="claim: only the run that claimed a part can end it",
        file="seeder/services/queue/part_rows.py",
        old="pk=part_id, state=QueuedPartState.RUNNING, run_ids=list(run_ids))",
        new="pk=part_id, state=QueuedPartState.RUNNING)",
        tests=(PART_EXECUTION,),
    ),
    Mutant(
        name="claim: a part that is not running cannot be ended",
        file="seeder/services/queue/part_rows.py",
        old="pk=part_id, state=QueuedPartState.RUNNING, run_ids=list(run_ids))",
        new="pk=part_id, run_ids=list(run_ids))",
        tests=(PART_EXECUTION,),
    ),
    Mutant(
        name="claim: a part that has ended is not claimed",
        file="seeder/services/queue/part_execution.py",
        old="if part.state == QueuedPartState.ENDED:",
        new="if part.state == QueuedPartState.ENDED and False:",
        tests=(PART_EXECUTION,),
    ),
    Mutant(
        name="claim: a cancelled part is not claimed",
        file="seeder/services/queue/part_execution.py",
        old="if part.cancel_requested_at is not None:",
        new="if part.cancel_requested_at is not None and False:",
        tests=(CANCELLATION,),
    ),
    Mutant(
        name="cancel: a released part is not queued again",
        file="seeder/services/queue/part_rows.py",
        old="        if row.cancel_requested_at is not None:\n            _cancel(row)",
        new="        if False:\n            _cancel(row)",
        tests=(CANCELLATION,),
    ),
    Mutant(
        name="cancel: the rows of the request are locked",
        file="seeder/services/queue/part_rows.py",
        old='filter(request_id=request_id).order_by("id").select_for_update())',
        new='filter(request_id=request_id).order_by("id"))',
        tests=(CANCELLATION,),
    ),
    Mutant(
        name="claim: a part of another living run is not claimed",
        file="seeder/services/queue/part_execution.py",
        old="if part.state == QueuedPartState.RUNNING and not advisory_locks",
        new="if part.state == QueuedPartState.RUNNING and advisory_locks",
        tests=(PART_EXECUTION,),
    ),
    Mutant(
        name="claim: the row of a part is locked",
        file="seeder/services/queue/part_execution.py",
        old="QueuedRefresh.objects.filter(pk=part_id).select_for_update().first()",
        new="QueuedRefresh.objects.filter(pk=part_id).first()",
        tests=(PART_EXECUTION,),
    ),
    Mutant(
        name="claim: a part is given up after attempts without progress",
        file="seeder/services/queue/part_execution.py",
        old="if attempts >= MAX_ATTEMPTS_WITHOUT_PROGRESS:",
        new="if attempts < 0:",
        tests=(PART_EXECUTION,),
    ),
    Mutant(
        name="claim: a running part is not joined",
        file="seeder/services/queue/part_rows.py",
        old="rows = QueuedRefresh.objects.not_started().order_by",
        new="rows = QueuedRefresh.objects.unfinished().order_by",
        tests=(ENQUEUE,),
    ),
]

COMMITS = [
    Mutant(
        name="commit: an attempt after a lost commit does nothing",
        file="seeder/services/run/view_refresh.py",
        old="            return committed\n        attempt_started",
        new="            pass\n        attempt_started",
        tests=(LOST_COMMITS,),
    ),
    Mutant(
        name="commit: a result is recorded once although the commit's answer was lost",
        file="seeder/services/run/view_refresh.py",
        old="if number > 1 and self.history.has_recorded(view.spec, result):",
        new="if number < 0:",
        tests=(LOST_COMMITS,),
    ),
    Mutant(
        name="commit: a commit in progress is waited for",
        file="seeder/services/history_rows.py",
        old='self._rows(spec.manifests).select_for_update().values_list("status", "finish_time")',
        new='self._rows(spec.manifests).values_list("status", "finish_time")',
        tests=(LOST_COMMITS,),
    ),
    Mutant(
        name="commit: a refresh whose rows were closed by recovery is rolled back",
        file="seeder/services/history_rows.py",
        old="DEFAULT_DB_ALIAS, statements, parameters)\n        if closed != len(spec.manifests):",
        new="DEFAULT_DB_ALIAS, statements, parameters)\n        if closed < 0:",
        tests=("tests/integration/test_history_rows.py",),
    ),
    Mutant(
        name="commit: a row that has ended is not marked as running",
        file="seeder/postgres/history_rows.sql",
        old="AND status NOT IN ('running', 'success', 'error')",
        new="AND status NOT IN ('running')",
        tests=("tests/integration/test_recovering_meanwhile.py",),
    ),
    Mutant(
        name="retry: a deadlock is retried",
        file="seeder/postgres/sqlstates.py",
        old='LOCK_NOT_AVAILABLE, "40P01", ',
        new="LOCK_NOT_AVAILABLE, ",
        tests=("tests/integration/test_sqlstates.py",),
    ),
    Mutant(
        name="retry: an error of another server is no lost connection",
        file="seeder/postgres/sqlstates.py",
        old='cause.diag.severity_nonlocalized != "ERROR"',
        new="True",
        tests=("tests/integration/test_sqlstates.py",),
    ),
    Mutant(
        name="retry: the number of attempts is limited by the setting",
        file="seeder/services/retry.py",
        old="if attempt > retries or not",
        new="if attempt > retries + 1 or not",
        tests=("tests/integration/test_limits_and_retries.py",),
    ),
    Mutant(
        name="retry: an error of the query is not retried",
        file="seeder/services/retry.py",
        old="not is_transient(error) or",
        new="",
        tests=("tests/integration/test_cost_meter.py", "tests/integration/test_limits_and_retries.py"),
    ),
]

STATEMENTS = [
    Mutant(
        name="statement: a query with a second statement is refused",
        file="seeder/postgres/sessions.py",
        old="psycopg.Cursor(connection) as cursor:\n        return _rows(cursor.execute(statement, binary=True))",
        new="psycopg.ClientCursor(connection) as cursor:\n        return _rows(cursor.execute(statement))",
        tests=(BAD_INPUT,),
    ),
    Mutant(
        name="input: numbers have plain digits",
        file="seeder/domain/plain_numbers.py",
        old="if not _DIGITS.fullmatch(text):",
        new="if False:",
        tests=(BAD_INPUT,),
    ),
    Mutant(
        name="statement: names are quoted",
        file="seeder/postgres/view_statements.py",
        old="return sql.Identifier(view.schema, view.name)",
        new='return sql.SQL(f"{view.schema}.{view.name}")',
        tests=(BAD_INPUT,),
    ),
]

SCOPE = [
    Mutant(
        name="scope: a snapshot of another agency's view is not found",
        file="seeder/services/read_models/agency_scope.py",
        old="if agencies is not None and found.table_name not in tables_of(agencies):",
        new="if False:",
        tests=(API_ACCESS,),
    ),
    Mutant(
        name="scope: a view of another agency is not found",
        file="seeder/services/read_models/agency_scope.py",
        old="if agencies is not None and table_name not in tables_of(agencies):",
        new="if False:",
        tests=(API_ACCESS, API_REFRESHING),
    ),
    Mutant(
        name="scope: a string is not a list of agencies",
        file="seeder/services/read_models/agency_scope.py",
        old="if isinstance(slugs, str) or not",
        new="if not",
        tests=("tests/integration/test_job_list.py",),
    ),
    Mutant(
        name="scope: the history of other agencies is hidden",
        file="seeder/models/history_and_status.py",
        old="return self if slugs is None else self.filter(agency_slug__in=slugs)",
        new="return self",
        tests=(ADMIN, API_ACCESS),
    ),
    Mutant(
        name="scope: a hidden agency cannot be refreshed",
        file="seeder/api/refresh_endpoints.py",
        old="if self.visible_agencies is not None and slug not in self.visible_agencies:",
        new="if False:",
        tests=(API_ACCESS, API_REFRESHING),
    ),
    Mutant(
        name="scope: queued requests of other agencies are hidden",
        file="seeder/models/queued_refresh.py",
        old="return self if slugs is None else self.filter(agencies__has_any_keys=slugs)",
        new="return self",
        tests=(ADMIN, API_ACCESS, API_REFRESHING),
    ),
    Mutant(
        name="scope: runs of other agencies are hidden",
        file="seeder/models/run.py",
        old="return self if slugs is None else self.filter(agencies__has_any_keys=slugs)",
        new="return self",
        tests=(ADMIN, API_ACCESS, "tests/integration/test_job_list.py"),
    ),
    Mutant(
        name="permission: a request that starts something needs one",
        file="seeder/api/refresh_endpoints.py",
        old='required_permissions: ClassVar = {WRITE: "seeder.refresh_views"}',
        new="required_permissions: ClassVar = {}",
        tests=(API_ACCESS,),
    ),
    Mutant(
        name="permission: HEAD needs the permission of GET",
        file="seeder/api/authentication_and_throttling.py",
        old='required_permissions.get(READ if request.method == "HEAD" else str(request.method))',
        new="required_permissions.get(str(request.method))",
        tests=(API_ACCESS,),
    ),
]

REDACTION = [
    Mutant(
        name="redaction: a message that may quote data is redacted",
        file="seeder/services/read_models/error_redaction.py",
        old="message = redacted if failed and message is not None else None",
        new="message = message if failed and message is not None else None",
        tests=(API_ERRORS, ADMIN),
    ),
    Mutant(
        name="redaction: a note that may name other views is redacted",
        file="seeder/services/read_models/error_redaction.py",
        old="notes = None  # a note",
        new="pass  # a note",
        tests=(ADMIN,),
    ),
    Mutant(
        name="redaction: errors need a permission",
        file="seeder/api/agency_scoped_view.py",
        old="return bool(self.request.user.has_perm(error_redaction.PERMISSION))",
        new="return True",
        tests=(API_ERRORS,),
    ),
    Mutant(
        name="redaction: an invalid secret is not printed",
        file="seeder/settings_readers.py",
        old="raise ConfigurationError(setting=name, value=REDACTED, expected=expected)",
        new="raise ConfigurationError(setting=name, value=value, expected=expected)",
        tests=("tests/acceptance/test_metrics_access.py::test_metrics_token_never_appears_in_messages",),
    ),
]

KEYS = [
    Mutant(
        name="key: a key of another request is refused",
        file="seeder/services/queue/enqueue.py",
        old="if earlier != request.description:",
        new="if False:",
        tests=(ENQUEUE, API_REFRESHING),
    ),
    Mutant(
        name="key: users have separate keys",
        file="seeder/api/idempotency_keys.py",
        old='return f"api {request.user.pk} {key}"',
        new='return f"api {key}"',
        tests=(API_REFRESHING,),
    ),
    Mutant(
        name="key: concurrent requests with one key are one request",
        file="seeder/services/queue/enqueue.py",
        old="return _repeated(request, key) or _joined(request, selection, key)",
        new="return _joined(request, selection, key)",
        tests=(ENQUEUE,),
    ),
]

RUNS = [
    Mutant(
        name="shared: a refresh before the request is too old",
        file="seeder/postgres/history_rows.sql",
        old="AND status = 'success' AND start_time > %(after)s",
        new="AND status = 'success' AND start_time > %(after)s::timestamptz - interval '1 day'",
        tests=(OTHER_RUNS,),
    ),
    Mutant(
        name="shared: a view of the same name in another database is not shared",
        file="seeder/services/history_rows.py",
        old="        if is_ours(kind, number):",
        new="        if kind or is_ours(kind, number):",
        tests=(OTHER_RUNS,),
    ),
    Mutant(
        name="breaker: repeated failures of one view count once",
        file="seeder/domain/circuit_breaker_rules.py",
        old="failures = self.failures + (view not in self.causes)",
        new="failures = self.failures + 1",
        tests=("tests/acceptance/test_breaker.py",),
    ),
    Mutant(
        name="status: an unstarted view keeps its last state",
        file="seeder/postgres/history_rows.sql",
        old="AND s.last_run_id = %(run)s AND s.status = 'pending'",
        new="AND false",
        tests=("tests/acceptance/test_displayed_state.py",),
    ),
    Mutant(
        name="status: a failure of the same view in another database stays visible",
        file="seeder/postgres/history_rows.sql",
        old="WHERE last.status = 'error' AND s.table_name",
        new="WHERE false AND s.table_name",
        tests=("tests/integration/test_databases.py",),
    ),
    Mutant(
        name="breaker: one trial at a time",
        file="seeder/domain/circuit_breaker_rules.py",
        old="return replace(self, last_trial_at=now) if due is not None and now >= due else None",
        new="return replace(self, last_trial_at=now)",
        tests=(ADMISSION,),
    ),
    Mutant(
        name="throttle: starts are held at the limit of queries",
        file="seeder/services/run/admission_control.py",
        old="(busy := server_activity.active_query_count(database)) < most:",
        new="(busy := server_activity.active_query_count(database)) <= most:",
        tests=(ADMISSION,),
    ),
    Mutant(
        name="precondition: a pooler that shares sessions is refused",
        file="seeder/services/run/preconditions.py",
        old="if state.is_behind_proxy and session_sharing.shares_session(database):",
        new="if False:",
        tests=("tests/acceptance/test_pooled.py",),
    ),
    Mutant(
        name="precondition: tables in another database are refused",
        file="seeder/services/run/preconditions.py",
        old="            if alias != DEFAULT_DB_ALIAS:",
        new="            if False:",
        tests=("tests/acceptance/test_bare_host.py",),
    ),
    Mutant(
        name="pruning: the latest success and failure of a report are kept",
        file="seeder/postgres/pruning.sql",
        old="WHERE ended_before > 0 AND start_time < %(before)s",
        new="WHERE false AND start_time < %(before)s",
        tests=("tests/integration/test_history_pruning.py", "tests/acceptance/test_pruning.py"),
    ),
]

COLUMN_RANGES = "tests/integration/test_column_ranges.py"
RECORDS_PROCESSED = "tests/cases/test_records_processed.py"

FIGURES = [
    Mutant(
        name="figures: a range has the order of the column's own type",
        file="seeder/postgres/column_statistics.py",
        old="bounds = _min_and_max(column) if column.has_minimum else _first_and_last(column)",
        new="bounds = _min_and_max(column)",
        tests=(COLUMN_RANGES,),
    ),
    Mutant(
        name="figures: real is not printed as double precision",
        file="seeder/postgres/column_statistics.py",
        old="({value} + '0')::text",
        new="({value} + 0)::text",
        tests=(COLUMN_RANGES,),
    ),
    Mutant(
        name="figures: a snapshot from before a view was created again is not used",
        file="seeder/postgres/shared_snapshot.py",
        old='if sessions.query(database, STATEMENTS["replaced_view"], asdict(view)):',
        new="if False:",
        tests=("tests/faults/test_replaced_views.py",),
    ),
    Mutant(
        name="figures: the rows of a concurrent refresh are counted",
        file="seeder/postgres/row_counts.py",
        old="return mode is RefreshMode.CONCURRENT or self.inserted is None",
        new="return self.inserted is None",
        tests=(RECORDS_PROCESSED,),
    ),
]

RECREATION = "tests/cases/test_pasted_recreation.py"
REFUSED_QUERIES = "tests/cases/test_refused_queries.py"

DIAGNOSIS = [
    Mutant(
        name="diagnosis: a view is recreated as its owner",
        file="seeder/postgres/recreate_statements.sql",
        old="format('SET LOCAL ROLE %%s', owner)",
        new="'SET LOCAL ROLE NONE'",
        tests=(RECREATION,),
    ),
    Mutant(
        name="diagnosis: default privileges are revoked from a recreated view",
        file="seeder/postgres/recreate_statements.sql",
        old="'REVOKE ALL ON %%s FROM %%s'",
        new="'REVOKE TRIGGER ON %%s FROM %%s'",
        tests=(RECREATION,),
    ),
    Mutant(
        name="diagnosis: column grants of a recreated view are kept",
        file="seeder/postgres/recreate_statements.sql",
        old="CROSS JOIN aclexplode(c.attacl) WITH ORDINALITY AS a",
        new="CROSS JOIN aclexplode(c.attacl) WITH ORDINALITY AS a WHERE false",
        tests=(RECREATION,),
    ),
    Mutant(
        name="diagnosis: query errors have any SQLSTATE",
        file="seeder/postgres/sqlstates.py",
        old="return not is_unrelated and state != INSUFFICIENT_PRIVILEGE",
        new='return not is_unrelated and state != INSUFFICIENT_PRIVILEGE and state.startswith("42")',
        tests=(REFUSED_QUERIES,),
    ),
    Mutant(
        name="diagnosis: a refusal of any view is not the query's error",
        file="seeder/postgres/creation_refusals.py",
        old="    if control:",
        new="    if False:",
        tests=(REFUSED_QUERIES,),
    ),
    Mutant(
        name="diagnosis: a restricted operation is not a missing grant",
        file="seeder/postgres/refusal_facts.py",
        old="lacks_privilege=is_missing_privilege(error)",
        new="lacks_privilege=True",
        tests=("tests/cases/test_refusal_advice.py",),
    ),
]

_OTHERS = [
    *EXPLANATIONS,
    *CHECKS,
    *MODES,
    *FRESHNESS,
    *LOADS,
    *LOAD_API,
    *SILVER,
    *HTTP,
    *MANIFESTS,
    *STATISTICS,
    *INGESTION,
]
GUARDS = [*LOCKS, *CLAIMS, *COMMITS, *STATEMENTS, *SCOPE, *REDACTION, *KEYS, *RUNS, *FIGURES, *DIAGNOSIS, *_OTHERS]
