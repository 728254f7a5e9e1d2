"""The guards of explanations of views, and the tests that fail without them."""

from tests.mutants.mutant import Mutant

_API = "tests/acceptance/test_api_explanation.py"
_OUTLOOK = "tests/acceptance/test_view_outlook.py"
_PAGE = "tests/integration/admin/test_view_page.py"

EXPLANATIONS = [
    Mutant(
        name="explanation: views of hidden agencies are not named",
        file="seeder/services/read_models/view_reader.py",
        old="if self.viewer.sees(specs[name].manifests if name in specs else ())",
        new="",
        tests=(_API,),
    ),
    Mutant(
        name="explanation: the plan has no views of hidden agencies",
        file="seeder/services/read_models/view_outlook.py",
        old="[view for view in others if scope.sees(view.spec.manifests)]",
        new="others",
        tests=(_API,),
    ),
    Mutant(
        name="explanation: the causes of an open breaker can be of hidden agencies",
        file="seeder/services/read_models/view_outlook.py",
        old="shows_causes=scope.sees_all_agencies,",
        new="",
        tests=(_API,),
    ),
    Mutant(
        name="explanation: sessions are named only with the permission",
        file="seeder/services/read_models/view_outlook.py",
        old='str(one) if scope.can_see_errors else ""',
        new="str(one)",
        tests=(_API,),
    ),
    Mutant(
        name="explanation: requests of runs are shown only with the permission",
        file="seeder/services/read_models/stored_refreshes.py",
        old="if not can_see_runs:",
        new="if False:",
        tests=(_API,),
    ),
    Mutant(
        name="explanation: the API hides views of other agencies",
        file="seeder/services/read_models/view_reader.py",
        old="agency_scope.require_visible_table(str(name), viewer.agencies)",
        new="pass",
        tests=(_API, "tests/acceptance/test_api_access.py"),
    ),
    Mutant(
        name="explanation: views of no manifest stay as they are",
        file="seeder/services/read_models/view_outlook.py",
        old="_age_with(scope, related.outside)",
        new="_age_with(scope, ())",
        tests=(_OUTLOOK,),
    ),
    Mutant(
        name="view page: the lineage does not name views of hidden agencies",
        file="seeder/services/read_models/view_lineage.py",
        old="return viewer.sees(specs[name].manifests if name in specs else ())",
        new="return True",
        tests=(_PAGE,),
    ),
    Mutant(
        name="view page: the query of a view can be that of a hidden agency",
        file="seeder/services/read_models/view_description.py",
        old="if catalog.contents and is_theirs else None",
        new="if catalog.contents else None",
        tests=(_PAGE,),
    ),
    Mutant(
        name="view page: a message about a query can quote data",
        file="seeder/services/read_models/view_description.py",
        old="cause=cause if viewer.can_see_errors else None",
        new="cause=cause",
        tests=(_PAGE,),
    ),
]
