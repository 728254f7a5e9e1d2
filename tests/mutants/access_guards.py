"""The guards of requests and of what a user may see, and the tests that fail without them."""

from tests.mutants.mutant import Mutant

ENQUEUE = "tests/integration/test_enqueue.py"
BAD_INPUT = "tests/acceptance/test_bad_input.py"
API_ACCESS = "tests/acceptance/test_api_access.py"
API_ERRORS = "tests/acceptance/test_api_errors.py"
API_REFRESHING = "tests/acceptance/test_api_refresh_views.py"
ADMIN = "tests/integration/admin"

STATEMENTS = [
    Mutant(
        name="statement: a query with a second statement is refused",
        file="seeder/postgres/sessions.py",
        old="psycopg.Cursor(connection) as cursor:\n        return _rows(cursor.execute(statement, binary=True))",
        new="psycopg.ClientCursor(connection) as cursor:\n        return _rows(cursor.execute(statement))",
        tests=(BAD_INPUT,),
    ),
    Mutant(
        name="input: numbers have plain digits",
        file="seeder/domain/plain_numbers.py",
        old="if not _DIGITS.fullmatch(text):",
        new="if False:",
        tests=(BAD_INPUT,),
    ),
    Mutant(
        name="statement: names are quoted",
        file="seeder/postgres/view_statements.py",
        old="return sql.Identifier(view.schema, view.name)",
        new='return sql.SQL(f"{view.schema}.{view.name}")',
        tests=(BAD_INPUT,),
    ),
]

SCOPE = [
    Mutant(
        name="scope: a search for parts of names finds rows of the user's agencies",
        file="seeder/services/read_models/name_search.py",
        old="latest_rows(names, agencies, max",
        new="latest_rows(names, None, max",
        tests=("tests/integration/admin/test_report_lists.py",),
    ),
    Mutant(
        name="scope: totals of a run in the list are those of the user's agencies",
        file="seeder/admin/run_lists.py",
        old="run_timeline.totals(rows, agency_scope.agencies_of(request.user))",
        new="run_timeline.totals(rows, None)",
        tests=("tests/integration/admin/test_report_lists.py",),
    ),
    Mutant(
        name="scope: a snapshot of another agency's view is not found",
        file="seeder/services/read_models/agency_scope.py",
        old="if agencies is not None and found.table_name not in tables_of(agencies):",
        new="if False:",
        tests=(API_ACCESS,),
    ),
    Mutant(
        name="scope: a view of another agency is not found",
        file="seeder/services/read_models/agency_scope.py",
        old="if agencies is not None and table_name not in tables_of(agencies):",
        new="if False:",
        tests=(API_ACCESS, API_REFRESHING),
    ),
    Mutant(
        name="scope: a string is not a list of agencies",
        file="seeder/services/read_models/agency_scope.py",
        old="if isinstance(slugs, str) or not",
        new="if not",
        tests=("tests/integration/test_job_list.py",),
    ),
    Mutant(
        name="scope: the history of other agencies is hidden",
        file="seeder/models/history_and_status.py",
        old="return self if slugs is None else self.filter(agency_slug__in=slugs)",
        new="return self",
        tests=(ADMIN, API_ACCESS),
    ),
    Mutant(
        name="scope: a hidden agency cannot be refreshed",
        file="seeder/api/refresh_endpoints.py",
        old="if self.visible_agencies is not None and slug not in self.visible_agencies:",
        new="if False:",
        tests=(API_ACCESS, API_REFRESHING),
    ),
    Mutant(
        name="scope: queued requests of other agencies are hidden",
        file="seeder/models/queued_refresh.py",
        old="return self if slugs is None else self.filter(agencies__has_any_keys=slugs)",
        new="return self",
        tests=(ADMIN, API_ACCESS, API_REFRESHING),
    ),
    Mutant(
        name="scope: runs of other agencies are hidden",
        file="seeder/models/run.py",
        old="return self if slugs is None else self.filter(agencies__has_any_keys=slugs)",
        new="return self",
        tests=(ADMIN, API_ACCESS, "tests/integration/test_job_list.py"),
    ),
    Mutant(
        name="permission: a request that starts something needs one",
        file="seeder/api/refresh_endpoints.py",
        old='required_permissions: ClassVar = {WRITE: "seeder.refresh_views"}',
        new="required_permissions: ClassVar = {}",
        tests=(API_ACCESS,),
    ),
    Mutant(
        name="permission: HEAD needs the permission of GET",
        file="seeder/api/authentication_and_throttling.py",
        old='required_permissions.get(READ if request.method == "HEAD" else str(request.method))',
        new="required_permissions.get(str(request.method))",
        tests=(API_ACCESS,),
    ),
]

REDACTION = [
    Mutant(
        name="redaction: a message that may quote data is redacted",
        file="seeder/services/read_models/error_redaction.py",
        old="message = _redacted(reason, sqlstate) if failed and message is not None else None",
        new="message = message if failed and message is not None else None",
        tests=(API_ERRORS, ADMIN),
    ),
    Mutant(
        name="redaction: a note that may name other views is redacted",
        file="seeder/services/read_models/error_redaction.py",
        old="notes = None  # a note",
        new="pass  # a note",
        tests=(ADMIN,),
    ),
    Mutant(
        name="redaction: errors need a permission",
        file="seeder/api/agency_scoped_view.py",
        old="return bool(self.request.user.has_perm(error_redaction.PERMISSION))",
        new="return True",
        tests=(API_ERRORS,),
    ),
    Mutant(
        name="redaction: an invalid secret is not printed",
        file="seeder/settings_readers.py",
        old="raise ConfigurationError(setting=name, value=REDACTED, expected=expected)",
        new="raise ConfigurationError(setting=name, value=value, expected=expected)",
        tests=("tests/acceptance/test_metrics_access.py::test_metrics_token_never_appears_in_messages",),
    ),
]

KEYS = [
    Mutant(
        name="key: a key of another request is refused",
        file="seeder/services/queue/enqueue.py",
        old="if earlier != description:",
        new="if False:",
        tests=(ENQUEUE, API_REFRESHING),
    ),
    Mutant(
        name="key: users have separate keys",
        file="seeder/api/idempotency_keys.py",
        old='return f"api {request.user.pk} {key}"',
        new='return f"api {key}"',
        tests=(API_REFRESHING,),
    ),
    Mutant(
        name="key: concurrent requests with one key are one request",
        file="seeder/services/queue/enqueue.py",
        old="return _repeated(description, key) or _joined(description, selection, key, is_forced=is_forced)",
        new="return _joined(description, selection, key, is_forced=is_forced)",
        tests=(ENQUEUE,),
    ),
]

ACCESS = [*STATEMENTS, *SCOPE, *REDACTION, *KEYS]
