"""The guards of this app, and the tests that fail without them.

A guard is code that is rarely needed, so that its absence is not noticed: a lock, a comparison before a write, a check
of permissions. `python -m tests.mutants` breaks one after the other.
"""

from tests.mutants.access_guards import ACCESS
from tests.mutants.change_guards import CHANGED_ROWS
from tests.mutants.check_guards import CHECKS
from tests.mutants.commit_guards import COMMITS_AND_LOCKS
from tests.mutants.explanation_guards import EXPLANATIONS
from tests.mutants.figure_guards import FIGURES_AND_ADVICE
from tests.mutants.freshness_guards import FRESHNESS
from tests.mutants.group_guards import GROUPS
from tests.mutants.http_guards import HTTP
from tests.mutants.load_api_guards import LOAD_API
from tests.mutants.load_guards import LOADS
from tests.mutants.manifest_guards import MANIFESTS
from tests.mutants.mode_guards import MODES
from tests.mutants.notification_guards import NOTIFICATIONS
from tests.mutants.run_guards import RUNS
from tests.mutants.run_page_guards import RUN_PAGE
from tests.mutants.sharing_guards import SHARING
from tests.mutants.silver_guards import SILVER
from tests.mutants.skip_guards import SKIPS
from tests.mutants.statistics_guards import STATISTICS
from tests.mutants.upload_guards import INGESTION

GUARDS = [
    *COMMITS_AND_LOCKS,
    *ACCESS,
    *RUNS,
    *RUN_PAGE,
    *FIGURES_AND_ADVICE,
    *EXPLANATIONS,
    *CHECKS,
    *MODES,
    *SHARING,
    *SKIPS,
    *CHANGED_ROWS,
    *FRESHNESS,
    *GROUPS,
    *NOTIFICATIONS,
    *LOADS,
    *LOAD_API,
    *SILVER,
    *HTTP,
    *MANIFESTS,
    *STATISTICS,
    *INGESTION,
]
