"""The guards of freshness contracts, and the tests that fail without them."""

from tests.mutants.mutant import Mutant

SLACK = "tests/unit/domain/freshness/test_slack.py"
AS_OF = "tests/integration/test_data_as_of.py"
WRITERS = "tests/integration/test_data_as_of_with_writers.py"
STATES = "tests/unit/domain/freshness/test_states.py"
CHECK = "tests/acceptance/test_check_freshness.py"
DUE_VIEWS = "tests/unit/domain/freshness/test_due_views.py"
JUST_IN_TIME = "tests/unit/domain/freshness/test_just_in_time.py"
LINKS = "tests/integration/test_freshness_links.py"
DEADLINES = "tests/unit/domain/freshness/test_deadlines.py"

FRESHNESS = [
    Mutant(
        name="link: another number revokes it",
        file="seeder/services/freshness_links.py",
        old='facts["version"] != _version(agency)',
        new="False",
        tests=(LINKS,),
    ),
    Mutant(
        name="link: it expires",
        file="seeder/services/freshness_links.py",
        old="expires <= timezone.now().timestamp()",
        new="False",
        tests=(LINKS,),
    ),
    Mutant(
        name="badge: the age of one view can be unknown",
        file="seeder/domain/freshness/agency_freshness.py",
        old="oldest is None or None in instants",
        new="oldest is None",
        tests=(LINKS,),
    ),
    Mutant(
        name="slack: a hopeless deadline delays no other",
        file="seeder/domain/freshness/slack.py",
        old="deadlines.keys() - hopeless_views(graph, durations, deadlines, now)",
        new="deadlines.keys()",
        tests=(SLACK,),
    ),
    Mutant(
        name="slack: deadlines are handed up to dependencies",
        file="seeder/domain/freshness/slack.py",
        old="needed_by[read] = min(needed_by.get(read, starts[node]), starts[node])",
        new="pass",
        tests=(SLACK,),
    ),
    Mutant(
        name="slack: every view has the end of the run as a deadline",
        file="seeder/domain/plan.py",
        old="min(starts.get(view.key, _NEVER), horizons[view.key.database] - view.critical_path)",
        new="starts.get(view.key, _NEVER)",
        tests=(SLACK,),
    ),
    Mutant(
        name="deadlines: data of the day before do not meet a due time",
        file="seeder/domain/freshness/deadlines.py",
        old="data_as_of is not None and data_as_of >= deadline.since",
        new="data_as_of is not None",
        tests=(DEADLINES,),
    ),
    Mutant(
        name="deadlines: a missing local time is the end of the gap",
        file="seeder/domain/clock_changes.py",
        old="return exact_instant(local.replace(fold=0)) or end_of_gap(local)",
        new="return local.replace(fold=0).astimezone(UTC)",
        tests=(DEADLINES,),
    ),
    Mutant(
        name="data as of: the views behind a view count",
        file="seeder/domain/freshness/data_age.py",
        old="min([locked_at, *(one for one in instants if one is not None)])",
        new="locked_at",
        tests=(AS_OF, WRITERS),
    ),
    Mutant(
        name="data as of: a view that others refreshed is unknown",
        file="seeder/postgres/view_state_queries.py",
        old="if recorded.version != version:",
        new="if False:",
        tests=(AS_OF,),
    ),
    Mutant(
        name="data as of: a view that changed during the refresh is noticed",
        file="seeder/postgres/view_state_queries.sql",
        old="AND c.xmin::text = read.xmin",
        new="",
        tests=(AS_OF,),
    ),
    Mutant(
        name="data as of: a view with newer storage than the snapshot has no known age",
        file="seeder/postgres/view_state_queries.sql",
        old="                    AND c.relfilenode = pg_relation_filenode(c.oid)\n",
        new="",
        tests=(AS_OF,),
    ),
    Mutant(
        name="data as of: so has one in another database",
        file="seeder/postgres/view_state_queries.sql",
        old="CASE WHEN c.relfilenode = pg_relation_filenode(c.oid) THEN c.xmin::text ELSE '' END",
        new="c.xmin::text",
        tests=(AS_OF,),
    ),
    Mutant(
        name="states: a hold does not hide a late contract",
        file="seeder/domain/freshness/states.py",
        old="if missed is not None or (",
        new="if (missed is not None and not facts.is_held) or (",
        tests=(STATES,),
    ),
    Mutant(
        name="states: data of an unknown age are not fresh",
        file="seeder/domain/freshness/states.py",
        old="if age.as_of is None and not has_no_data:",
        new="if False:",
        tests=(STATES,),
    ),
    Mutant(
        name="states: a contract of severity warn is no alarm",
        file="seeder/services/read_models/freshness_overview.py",
        old="and self.contract.severity is ContractSeverity.ERROR",
        new="",
        tests=(CHECK,),
    ),
    Mutant(
        name="due views: a queued or running view is not queued again",
        file="seeder/domain/freshness/due_views.py",
        old="    if _is_open(view):\n        return True\n",
        new="",
        tests=(DUE_VIEWS,),
    ),
    Mutant(
        name="due views: a dependent waits for the view that it reads",
        file="seeder/domain/freshness/due_views.py",
        old="or needed & postponed:",
        new="or not key:",
        tests=(DUE_VIEWS,),
    ),
    Mutant(
        name="due views: a refresh that did not help is not repeated at once",
        file="seeder/domain/freshness/due_views.py",
        old="return last is not None and last > now - min([_RETRY_AFTER, *lags])",
        new="return False",
        tests=(DUE_VIEWS,),
    ),
    Mutant(
        name="just in time: workers are shared",
        file="seeder/domain/freshness/just_in_time.py",
        old="min(due[node], free_until) - durations[node]",
        new="due[node] - durations[node]",
        tests=(JUST_IN_TIME,),
    ),
    Mutant(
        name="contracts: those of agencies that a user may not see are hidden",
        file="seeder/services/read_models/freshness_overview.py",
        old="contracts if agencies is None else contracts.visible_to(agencies)",
        new="contracts",
        tests=("tests/integration/admin/test_freshness_pages.py",),
    ),
]
