"""The guards of runs, and the tests that fail without them."""

from tests.mutants.mutant import Mutant

OTHER_RUNS = "tests/integration/test_refreshes_by_other_runs.py"
ADMISSION = "tests/integration/test_admission_control.py"

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
