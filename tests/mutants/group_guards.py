"""The guards of consistent groups, and the tests that fail without them."""

from tests.mutants.mutant import Mutant

_RACES, _READERS = "tests/integration/groups/test_group_races.py", "tests/faults/test_consistent_groups.py"
_GROUPS = "tests/integration/groups/test_group_refresh.py"

GROUPS = [
    Mutant(
        name="group: one snapshot for all members",
        file="seeder/postgres/group_transaction.py",
        old='_BEGIN = "BEGIN ISOLATION LEVEL REPEATABLE READ;"',
        new='_BEGIN = "BEGIN ISOLATION LEVEL READ COMMITTED;"',
        tests=(_RACES,),
    ),
    Mutant(
        name="group: the inputs are locked before the snapshot",
        file="seeder/services/groups/member_refresh.py",
        old="        self._lock_inputs()\n",
        new="        sessions.server_time(_DATABASE)\n        self._lock_inputs()\n",
        tests=(_READERS,),
    ),
    Mutant(
        name="group: a refresh by others after the snapshot is a lost race",
        file="seeder/services/groups/member_refresh.py",
        old="state is not None and is_replaced(_DATABASE, state)",
        new="False",
        tests=(_RACES,),
    ),
    Mutant(
        name="group: a status row that another run has written does not end it",
        file="seeder/services/run/snapshot_rows.py",
        old="sqlstate(recorded) != SERIALIZATION_FAILURE",
        new="True",
        tests=(_RACES,),
    ),
    Mutant(
        name="group: views between members are members",
        file="seeder/domain/consistent_groups.py",
        old="return (_reachable(members, reads) & _reachable(members, read_by)) - set(members)",
        new="return set()",
        tests=("tests/unit/domain/test_consistent_groups.py",),
    ),
    Mutant(
        name="group: a member that blocks readers is refused",
        file="seeder/domain/consistent_groups.py",
        old="facts.is_blocking and not allow_blocking",
        new="False",
        tests=("tests/unit/domain/test_consistent_groups.py", _GROUPS),
    ),
    Mutant(
        name="group: one part of the queue has all members",
        file="seeder/domain/queue/plan_partitioning.py",
        old="root[find_root(view.key)] = find_root(group.leader.key)",
        new="pass",
        tests=("tests/unit/domain/test_consistent_groups.py",),
    ),
    Mutant(
        name="group: a stop is observed between members",
        file="seeder/services/groups/group_refresh.py",
        old="        self._require_no_stop()\n        self._current = view",
        new="        self._current = view",
        tests=(_RACES,),
    ),
    Mutant(
        name="group: a plain refresh after another one waits for readers only briefly",
        file="seeder/services/groups/member_refresh.py",
        old="short if self._blocks_readers else usual",
        new="usual",
        tests=(_READERS,),
    ),
    Mutant(
        name="group: a held member that is left out is rolled back",
        file="seeder/services/groups/member_refresh.py",
        old="            with group_transaction.member_savepoint(_DATABASE):",
        new="            if True:",
        tests=(_GROUPS,),
    ),
    Mutant(
        name="group: what reads a member that is left out is left out",
        file="seeder/services/groups/member_refresh.py",
        old="if view.depends_on & (self.held | {one.key for one in self.left_out}):",
        new="if False:",
        tests=(_GROUPS,),
    ),
    Mutant(
        name="group: a held member holds it by default",
        file="seeder/services/groups/member_refresh.py",
        old="if not self.group.options.publish_without_held:",
        new="if False:",
        tests=(_GROUPS,),
    ),
    Mutant(
        name="group: members of other agencies are counted and not named",
        file="seeder/services/read_models/run_groups.py",
        old="if agencies is None or row.agency_slug in agencies:",
        new="if True:",
        tests=("tests/integration/groups/test_shown_groups.py",),
    ),
    Mutant(
        name="group: a member that shares the fate of another is not named as the cause",
        file="seeder/domain/group_endings.py",
        old="if one.reason not in GROUP_CONSEQUENCES",
        new="if one.reason",
        tests=("tests/unit/domain/test_group_endings.py",),
    ),
    Mutant(
        name="group: a plan foresees contracts by the end of the group",
        file="seeder/services/groups/group_planning.py",
        old="return with_missed_contracts(plan) if plan.groups else plan",
        new="return plan",
        tests=(_GROUPS,),
    ),
    Mutant(
        name="group: a view of two agencies is of the groups of both",
        file="seeder/services/groups/group_selection.py",
        old="{key: view.agencies for key, view in listed.items()}",
        new="{key: view.agencies for key, view in listed.items()} | {one.key: {m.agency_slug for m in one.manifests}"
        " for one in selection.views}",
        tests=("tests/integration/groups/test_group_selection.py",),
    ),
    Mutant(
        name="group: its time limit ends a statement",
        file="seeder/services/groups/member_refresh.py",
        old="            timeout = min(usual, left_ms) if usual else left_ms\n",
        new="            timeout = usual\n",
        tests=(_GROUPS,),
    ),
]
