"""The guards of explanations of views, and the tests that fail without them."""

from tests.mutants.mutant import Mutant

_API = "tests/acceptance/test_api_explanation.py"
_OUTLOOK = "tests/acceptance/test_view_outlook.py"

EXPLANATIONS = [
    Mutant(
        name="explanation: views of hidden agencies are not named",
        file="seeder/services/read_models/view_explanation.py",
        old="if self._viewer.sees(specs[name].manifests if name in specs else ())",
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
        file="seeder/services/read_models/view_explanation.py",
        old="agency_scope.require_visible_table(str(name), viewer.agencies)",
        new="pass",
        tests=(_API, "tests/acceptance/test_api_access.py"),
    ),
    Mutant(
        name="explanation: views of no manifest stay as they are",
        file="seeder/services/read_models/view_outlook.py",
        old="age_together=age_with(related.outside)",
        new="age_together=age_with(())",
        tests=(_OUTLOOK,),
    ),
]
