"""Guards of the page of a run: permissions, agencies, and what it claims."""

from tests.mutants.mutant import Mutant

_PAGE, _PATH = "tests/integration/admin/test_run_pages.py", "tests/integration/test_run_path.py"
_RULES = "tests/unit/domain/test_critical_path.py"

RUN_PAGE = [
    Mutant(
        name="run page: the message of a failure needs the permission",
        file="seeder/services/read_models/run_failures.py",
        old="can_see_errors=can_see_errors)",
        new="can_see_errors=True)",
        tests=(_PAGE,),
    ),
    Mutant(
        name="run page: retrying and cancelling need the permission",
        file="seeder/admin/run_action_pages.py",
        old="if not queue_actions.can_refresh(request.user):",
        new="if False:",
        tests=(_PAGE,),
    ),
    Mutant(
        name="run page: a retry leaves out views of other agencies",
        file="seeder/admin/queue_actions.py",
        old="retry = run_timeline.retry_request(run_id, agency_scope.agencies_of(request.user))",
        new="retry = run_timeline.retry_request(run_id, None)",
        tests=(_PAGE,),
    ),
    Mutant(
        name="run page: the comparison has visible agencies only",
        file="seeder/services/read_models/previous_run.py",
        old="run_timeline.bars_of(before.run_id, agencies, names)",
        new="run_timeline.bars_of(before.run_id, None, names)",
        tests=(_PAGE,),
    ),
    Mutant(
        name="run page: a part of a request is not compared with another part",
        file="seeder/services/read_models/previous_run.py",
        old="earlier.filter(Exists(with_views)).first()",
        new="earlier.first()",
        tests=(_PAGE,),
    ),
    Mutant(
        name="critical path: a user of some agencies does not see how long the run could have taken",
        file="seeder/services/read_models/run_path.py",
        old="is_complete=is_known and sees_all_agencies and",
        new="is_complete=is_known and",
        tests=(_PATH,),
    ),
    Mutant(
        name="critical path: a dependency that ended long before explains nothing",
        file="seeder/domain/monitoring/critical_path.py",
        old="if bar.worker_since - _end(cause[1]) - throttled <= _MAX_GAP",
        new="if True",
        tests=(_RULES,),
    ),
    Mutant(
        name="critical path: a dependency that ended after the start was added later",
        file="seeder/domain/monitoring/critical_path.py",
        old="if _end(one) <= bar.started_at]",
        new="if True]",
        tests=(_RULES,),
    ),
]
