"""The guards of samples of changed rows, and the tests that fail without them."""

from tests.mutants.mutant import Mutant

_ROWS, _PAGES = "tests/integration/test_row_changes.py", "tests/integration/admin/test_changed_rows.py"
_API = "tests/acceptance/test_api_refresh_views.py"

CHANGED_ROWS = [
    Mutant(
        name="changed rows: keys are compared by the operators of their index",
        file="seeder/postgres/row_changes.py",
        old='"{} OPERATOR({}.{}) {}").format(old, sql.Identifier(schema), sql.SQL(name), new)',
        new='"{} = {}").format(old, new)',
        tests=(_ROWS,),
    ),
    Mutant(
        name="changed rows: rows are compared by their stored values",
        file="seeder/postgres/row_changes.py",
        old="before.* OPERATOR(pg_catalog.*<>) after.*",
        new="before.* IS DISTINCT FROM after.*",
        tests=(_ROWS,),
    ),
    Mutant(
        name="changed rows: rows with a null in the key are not counted",
        file="seeder/postgres/row_changes.py",
        old="count(*) FILTER (WHERE kind = 'inserted' AND has_key),",
        new="count(*) FILTER (WHERE kind = 'inserted'),",
        tests=(_ROWS,),
    ),
    Mutant(
        name="changed rows: a stop during the comparison is no note",
        file="seeder/services/run/change_sampling.py",
        old="if self.stop.requested or has_lost_session(error):",
        new="if has_lost_session(error):",
        tests=(_ROWS,),
    ),
    Mutant(
        name="changed rows: a request waits while its refresh fails",
        file="seeder/services/change_samples.py",
        old="changes is None or result.failure is not None",
        new="False",
        tests=(_ROWS,),
    ),
    Mutant(
        name="changed rows: a run prints them only if its request asks for them",
        file="seeder/services/documents/changed_rows_documents.py",
        old="if with_rows else document",
        new="if document else document",
        tests=(_ROWS,),
    ),
    Mutant(
        name="changed rows: only users with a permission see them",
        file="seeder/services/read_models/changed_rows.py",
        old="for one in row.rows or ()] if can_see_data else ()",
        new="for one in row.rows or ()]",
        tests=(_PAGES, _API),
    ),
    Mutant(
        name="changed rows: a repeated call with an idempotency key requests none",
        file="seeder/services/queue/enqueue.py",
        old="        if repeated := _repeated(description, key):\n            return repeated\n",
        new="        change_samples.request_samples(request, requested_by=requested_by)\n"
        "        if repeated := _repeated(description, key):\n            return repeated\n",
        tests=(_API,),
    ),
]
