"""The guards of editing manifests."""

from tests.mutants.mutant import Mutant

TRIALS, ACCESS, EDITING = (
    "seeder/postgres/query_trials.py",
    "seeder/services/manifest_access.py",
    "seeder/services/manifest_editing.py",
)
TESTED_TRIALS = "tests/integration/manifests/test_query_trials.py"
TESTED_EDITING = "tests/integration/manifests/test_manifest_editing.py"

MANIFESTS = [
    Mutant(
        name="manifests: a trial is read-only",
        file=TRIALS,
        old='        sessions.query(database, STATEMENTS["forbid_writes"])\n',
        new="",
        tests=(TESTED_TRIALS,),
    ),
    Mutant(
        name="manifests: volatile functions are not called",
        file=TRIALS,
        old="if can_see_data and not functions else None",
        new="if can_see_data else None",
        tests=(TESTED_TRIALS,),
    ),
    Mutant(
        name="manifests: a trial has its own session",
        file=TRIALS,
        old="with private_sessions.private_session(database), transactions",
        new="with transactions",
        tests=(TESTED_TRIALS,),
    ),
    Mutant(
        name="manifests: messages that can quote data need a permission",
        file=TRIALS,
        old="    if not can_see_data:\n",
        new="    if False:\n",
        tests=(TESTED_TRIALS,),
    ),
    Mutant(
        name="manifests: an outdated version is refused",
        file=EDITING,
        old="if version is not None and manifest_access.row_version(current) != version:",
        new="if False:",
        tests=(TESTED_EDITING,),
    ),
    Mutant(
        name="manifests: a view of another agency is refused",
        file=ACCESS,
        old="    if has_other_agencies(spellings, editor.agencies) or (",
        new="    if False and (",
        tests=(TESTED_EDITING,),
    ),
    Mutant(
        name="manifests: a shared report needs access to all subscribers",
        file=EDITING,
        old="    manifest_access.require_all_subscribers(row, editor)\n",
        new="",
        tests=(TESTED_EDITING,),
    ),
    Mutant(
        name="manifests: editing is off by default",
        file=ACCESS,
        old="    if not conf.load().allow_manifest_editing:",
        new="    if False:",
        tests=(TESTED_EDITING,),
    ),
]
