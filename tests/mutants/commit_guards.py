"""The guards of locks, claims and commits, and the tests that fail without them."""

from tests.mutants.mutant import Mutant

CANCELLATION = "tests/integration/test_cancellation.py"
PART_EXECUTION = "tests/integration/test_part_execution.py"
ENQUEUE = "tests/integration/test_enqueue.py"
LOST_COMMITS = "tests/integration/test_lost_commits.py"
OTHER_RUNS = "tests/integration/test_refreshes_by_other_runs.py"
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
        old='rows = QueuedRefresh.objects.order_by("id").select_for_update()',
        new='rows = QueuedRefresh.objects.order_by("id")',
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
        old="            return committed\n        if self._skipping.can_verify:",
        new="            pass\n        if self._skipping.can_verify:",
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

COMMITS_AND_LOCKS = [*LOCKS, *CLAIMS, *COMMITS]
