"""The guards of data checks."""

from tests.mutants.mutant import Mutant

RUN = "seeder/services/data_checks/check_run.py"
DECISION = "seeder/services/data_checks/run_data_checks.py"
STATEMENTS = "seeder/postgres/data_checks.sql"
REFRESHES = "tests/integration/data_checks/test_guarded_refresh.py"
UNTRUSTED = "tests/integration/data_checks/test_untrusted_checks.py"
WAIVERS = "tests/integration/data_checks/test_waivers.py"

QUERY = "seeder/services/run/checked_query.py"
QUERIES = "tests/integration/data_checks/test_checked_queries.py"
ROW_CONDITIONS = "tests/integration/data_checks/test_row_conditions.py"
EDITING = "seeder/services/data_checks/check_editing.py"
PAGES = "tests/integration/admin/test_check_pages.py"

CHECKS = [
    Mutant(
        name="checks: a view whose new rows fail a check is not published",
        file=DECISION,
        old="if are_held(waived) or not",
        new="if not are_held(checks) or not",
        tests=(REFRESHES,),
    ),
    Mutant(
        name="checks: a check that cannot run holds its view",
        file="seeder/domain/data_checks/results.py",
        old="in {CheckOutcome.FAILED, CheckOutcome.COULD_NOT_RUN}",
        new="in {CheckOutcome.FAILED}",
        tests=(UNTRUSTED,),
    ),
    Mutant(
        name="checks: statements of checks cannot write",
        file=STATEMENTS,
        old="set_config('transaction_read_only', 'on', true)",
        new="set_config('transaction_read_only', 'off', true)",
        tests=(UNTRUSTED,),
    ),
    Mutant(
        name="checks: statements of checks have a time limit",
        file=STATEMENTS,
        old="set_config('statement_timeout', %(timeout)s::text, true)",
        new="set_config('statement_timeout', '0', %(timeout)s::text <> '')",
        tests=(UNTRUSTED,),
    ),
    Mutant(
        name="checks: a bad expression does not hide the other checks",
        file=RUN,
        old="        if check.name not in self._scanned:\n            self._scan_alone",
        new="        if not self._scanned:\n            self._scan_alone",
        tests=(UNTRUSTED,),
    ),
    Mutant(
        name="checks: an error of the server or a lock is not held",
        file=RUN,
        old="has_lost_session(error) or is_transient(error) or is_of_server",
        new="has_lost_session(error)",
        tests=(REFRESHES,),
    ),
    Mutant(
        name="checks: a held view changes no circuit breaker",
        file="seeder/services/run/admission_control.py",
        old="if result.outcome is Outcome.HELD and not (context.is_trial and result.attempts):",
        new="if result.attempts < 0:",
        tests=(REFRESHES,),
    ),
    Mutant(
        name="checks: a held trial closes the circuit breaker",
        file="seeder/services/run/admission_control.py",
        old="if failure is None or result.outcome is Outcome.HELD:",
        new="if failure is None:",
        tests=(REFRESHES,),
    ),
    Mutant(
        name="checks: worse data than waived are held",
        file="seeder/domain/data_checks/waiver_rules.py",
        old="return _number(current) <= _number(seen)",
        new="return _number(current) >= 0",
        tests=(WAIVERS,),
    ),
    Mutant(
        name="checks: a unique index answers only for its own columns",
        file=RUN,
        old="if any(names <= set(rule.columns) for names",
        new="if any(names for names",
        tests=(REFRESHES,),
    ),
    Mutant(
        name="checks: a repeated waiver permits one publication",
        file="seeder/services/data_checks/waivers.py",
        old="        _withdraw_unused(results)\n",
        new="",
        tests=(WAIVERS,),
    ),
    Mutant(
        name="checks: waivers at the same time permit one publication",
        file="seeder/services/data_checks/waivers.py",
        old="        advisory_locks.lock(DEFAULT_DB_ALIAS, lock_keys.WAIVE_CHECKS)\n",
        new="",
        tests=("tests/integration/data_checks/test_check_editing.py",),
    ),
    Mutant(
        name="checks: accepted drift is the new baseline",
        file="seeder/services/data_checks/baselines.py",
        old="accepted.granted_at > snapshot.captured_at",
        new="accepted.granted_at < snapshot.captured_at",
        tests=("tests/integration/data_checks/test_drift_checks.py",),
    ),
    Mutant(
        name="checks: a check of a file is changed only there",
        file=EDITING,
        old="if current.source is not None:",
        new="if False:",
        tests=(PAGES,),
    ),
    Mutant(
        name="checks: a form of an outdated version stores nothing",
        file=EDITING,
        old="if version is not None and version !=",
        new="if version is None and version !=",
        tests=(PAGES,),
    ),
    Mutant(
        name="checks: users write SQL only if the setting allows it",
        file=EDITING,
        old="if kind not in SQL_KINDS:",
        new="if kind:",
        tests=("tests/acceptance/test_api_checks.py",),
    ),
    Mutant(
        name="checks: a view of hidden agencies is not changed",
        file="seeder/services/data_checks/check_access.py",
        old="if agencies is not None and manifest_access",
        new="if agencies is None and manifest_access",
        tests=(PAGES,),
    ),
    Mutant(
        name="checks: bad rows require a permission",
        file="seeder/services/read_models/check_results.py",
        old="samples=result.samples if can_see_data else ()",
        new="samples=result.samples",
        tests=(PAGES,),
    ),
    Mutant(
        name="checks: a result is described by the rule that judged it",
        file=DECISION,
        old='"arguments": arguments_of(result.check.rule)',
        new='"arguments": {}',
        tests=(PAGES,),
    ),
    Mutant(
        name="checks: a waiver is of the arguments that its author has seen",
        file="seeder/domain/data_checks/waiver_rules.py",
        old="(waiver.check_name, waiver.arguments) == (result.check.name, arguments_of(result.check.rule))",
        new="waiver.check_name == result.check.name",
        tests=(WAIVERS,),
    ),
    Mutant(
        name="checks: a held view is an error of the contract",
        file="seeder/domain/outcomes.py",
        old="if self in {Outcome.HELD, Outcome.FAILED}",
        new="if self in {Outcome.FAILED}",
        tests=("tests/integration/test_limits_and_retries.py",),
    ),
    Mutant(
        name="checks: a held view has a reason of its own",
        file="seeder/services/run/unpublished_results.py",
        old="reason=HeldReason.DATA_CHECKS,",
        new='reason="raise_exception",',
        tests=(REFRESHES,),
    ),
    Mutant(
        name="checks: a held view is not refreshed again in its run",
        file="seeder/services/run/view_refresh.py",
        old="        except ViewHeld as held:\n",
        new="        except ViewHeld as held:\n            self._attempts += 1\n",
        tests=(REFRESHES,),
    ),
    Mutant(
        name="checks: a view says that an earlier run held its input",
        file="seeder/postgres/history_rows.sql",
        old="WHERE s.consecutive_failures > 0 AND latest.reason",
        new="WHERE s.consecutive_failures < 0 AND latest.reason",
        tests=(REFRESHES,),
    ),
    Mutant(
        name="checks: a published input is no held one",
        file="seeder/postgres/history_rows.sql",
        old="WHERE s.consecutive_failures > 0 AND latest.reason",
        new="WHERE latest.reason",
        tests=(REFRESHES,),
    ),
    Mutant(
        name="query checks: the checked rows are the published ones",
        file="seeder/postgres/transactions.py",
        old="COMMIT;\\nBEGIN ISOLATION LEVEL REPEATABLE READ;",
        new="COMMIT;\\nBEGIN ISOLATION LEVEL READ COMMITTED;",
        tests=(QUERIES,),
    ),
    Mutant(
        name="query checks: a view is not moved backwards",
        file=QUERY,
        old="group_queries.is_replaced(self._database, self._state)",
        new="not self._state",
        tests=(QUERIES,),
    ),
    Mutant(
        name="query checks: rows are not written after the snapshot",
        file=QUERY,
        old="            self._history.mark_running([self._view.spec])\n",
        new="            pass\n",
        tests=(QUERIES,),
    ),
    Mutant(
        name="query checks: a refresh that lost a race ends with checks inside",
        file="seeder/services/run/view_refresh.py",
        old="        if number > 1:  # it lost a race\n            self._query.give_up()\n",
        new="",
        tests=(QUERIES,),
    ),
    Mutant(
        name="query checks: SQL of users runs on the new rows of the view",
        file="seeder/domain/data_checks/check_order.py",
        old="Query | Unreadable",
        new="Unreadable",
        tests=(QUERIES,),
    ),
    Mutant(
        name="query checks: an error of the query does not hold the view",
        file=DECISION,
        old="for one in results if one.outcome is not CheckOutcome.COULD_NOT_RUN}",
        new="for one in results}",
        tests=(QUERIES,),
    ),
    Mutant(
        name="query checks: a query with several right answers is checked inside",
        file="seeder/services/data_checks/check_ordering.py",
        old="closed_queries.why_not_repeatable(",
        new="closed_queries.why_not_closed(",
        tests=(QUERIES,),
    ),
    Mutant(
        name="query checks: a condition that reads relations runs inside",
        file="seeder/domain/closed_queries.py",
        old="len(relations) == 1 and not",
        new="relations and not",
        tests=(ROW_CONDITIONS,),
    ),
    Mutant(
        name="query checks: a condition that calls unknown functions runs inside",
        file="seeder/domain/closed_queries.py",
        old="len(relations) == 1 and not reasons_not_closed(facts)",
        new="len(relations) == 1",
        tests=(ROW_CONDITIONS,),
    ),
    Mutant(
        name="query checks: a function of a user with a name of the server is unknown",
        file="seeder/domain/closed_queries.py",
        old='function.property == "s" and ',
        new="",
        tests=(ROW_CONDITIONS,),
    ),
    Mutant(
        name="query checks: the checked query is the one that was found repeatable",
        file=QUERY,
        old=" or states != found:",
        new=":",
        tests=(QUERIES,),
    ),
    Mutant(
        name="query checks: readers do not wait for rows that are counted already",
        file=DECISION,
        old="run.results(row_count=rows)",
        new="run.results()",
        tests=(QUERIES,),
    ),
    Mutant(
        name="query checks: the plan knows what the role cannot read",
        file="seeder/services/data_checks/check_ordering.py",
        old=", *unreadable[view]]",
        new="]",
        tests=(QUERIES,),
    ),
]
