"""Guards of the API of loads: what a user may see, and what is kept."""

from tests.mutants.mutant import Mutant

LOADS_OF_API = "tests/acceptance/data_pipeline/test_api_loads.py"
REQUESTS = "tests/acceptance/data_pipeline/test_api_requests.py"
REJECTS = "tests/acceptance/data_pipeline/test_api_rejects.py"
ACTIONS = "tests/acceptance/data_pipeline/test_api_actions.py"

LOAD_API = [
    Mutant(
        name="api of loads: a load of another agency is not found",
        file="data_pipeline/services/load_scope.py",
        old="    if scope.tables is not None:\n        loads = loads.filter(",
        new="    if False:\n        loads = loads.filter(",
        tests=(f"{LOADS_OF_API}::test_load_of_another_agency_is_not_found",),
    ),
    Mutant(
        name="api of loads: requests of other agencies are not found",
        file="data_pipeline/services/request_listing.py",
        old="    if scope.tables is not None:",
        new="    if False:",
        tests=(f"{REQUESTS}::test_request_of_another_agency_is_not_found_unless_own",),
    ),
    Mutant(
        name="api of loads: rejects are masked without see_raw",
        file="data_pipeline/services/shown_rejects.py",
        old="record = one.record if shows_values else _masked(one.record, text)",
        new="record = one.record",
        tests=(f"{REJECTS}::test_rejects_are_masked_without_see_raw",),
    ),
    Mutant(
        name="api of loads: a CSV of rejects has no values without see_raw",
        file="data_pipeline/services/shown_rejects.py",
        old='columns = load.payload_meta.get("columns") or () if shows_values else ()',
        new='columns = load.payload_meta.get("columns") or ()',
        tests=(f"{REJECTS}::test_csv_has_no_values_without_see_raw",),
    ),
    Mutant(
        name="api of loads: corrected values are deleted when the request ends",
        file="data_pipeline/postgres/load_requests.sql",
        old=", options = options - 'corrections'",
        new="",
        tests=(f"{ACTIONS}::test_corrected_values_are_deleted_when_the_request_ends",),
    ),
]
