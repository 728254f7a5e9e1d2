"""Explanations of the doctor's problems, with the general fix; the doctor itself prints the fix of each case."""

from collections.abc import Mapping
from typing import NamedTuple


class ProblemText(NamedTuple):
    """What a problem means and what to do about it."""

    meaning: str
    fix: str


PROBLEM_TEXTS: Mapping[str, ProblemText] = {
    "database_unreachable": ProblemText(
        "A database of `SEEDER['DATABASES']` does not answer. Its views fail, the others do not.",
        "Check the server and the login, or remove it from the map.",
    ),
    "check_failed": ProblemText(
        "A check could not run, so its result is unknown.",
        "Repair the other problems first, such as a missing privilege, and check again.",
    ),
    "server_unsupported": ProblemText(
        "The server is older than PostgreSQL 15, the oldest tested version.",
        "Upgrade it.",
    ),
    "server_unpatched": ProblemText(
        "Before 15.6 and 16.2, the owner of a view can run code as a more privileged role that refreshes it"
        " concurrently (CVE-2024-0985).",
        "Install the latest minor version; until then refresh plainly.",
    ),
    "read_only": ProblemText(
        "A standby, or `default_transaction_read_only` is on: every run is refused.",
        "Connect to the primary, or switch it off for seeder's role.",
    ),
    "sessions_pooled": ProblemText(
        "A proxy changes the session with each transaction, so a run lock proves nothing: every run is refused.",
        "Connect to PostgreSQL directly, or by a proxy that pools sessions.",
    ),
    "breaker_open": ProblemText(
        "The circuit breaker of a database is open and its next trial is still to come: nothing starts.",
        "Find the cause in the earlier failures. Then wait, or close it with the statement.",
    ),
    "lock_timeout_low": ProblemText(
        "`SEEDER_LOCK_TIMEOUT_MS` does not exceed the server's `deadlock_timeout`, after which a blocking"
        " autovacuum is cancelled: runs are refused.",
        "Raise it.",
    ),
    "too_few_connections": ProblemText(
        "`max_connections`, or the limit of the role or the database, is below the need of one run:"
        " `SEEDER_MAX_WORKERS`, and one more if runs are recorded.",
        "Lower `SEEDER_MAX_WORKERS`, or raise the limit. Each queue worker needs as many.",
    ),
    "transaction_timeout": ProblemText(
        "The server (17 and later) ends transactions after that time, and a refresh is one.",
        "Switch it off for seeder's role; use `SEEDER_STATEMENT_TIMEOUT_MS`.",
    ),
    "idle_session_timeout": ProblemText(
        "It is below 10 s. The session with the run lock sends a heartbeat every 5 s and would be ended.",
        "Switch it off for seeder's role.",
    ),
    "role_superuser": ProblemText(
        "A manifest's query can do anything on the server.",
        "Use a role of its own: see [security](../how-to/security.md#roles).",
    ),
    "table_missing": ProblemText(
        "A table of the contract is missing: no run can be recorded, or nothing is requested.",
        "`manage.py install_schema`, or ask the database's owner.",
    ),
    "column_missing": ProblemText(
        "A column of the contract is missing.",
        "The table's owner adds it.",
    ),
    "column_differs": ProblemText(
        "A column has another type or nullability than the contract.",
        "The table's owner alters it.",
    ),
    "optional_missing": ProblemText(
        "An optional table is missing. The message names the missing feature.",
        "`manage.py install_schema`, if you need it.",
    ),
    "optional_unusable": ProblemText(
        "An optional table differs, or the role may not use it, so it is not used.",
        "The table's owner alters it or grants the privilege.",
    ),
    "table_forbidden": ProblemText(
        "The role lacks a privilege on a table of the contract or on the sequence of its ids.",
        "The table's owner grants it.",
    ),
    "bad_name": ProblemText(
        "A manifest's `table_name` is not a view's name: three parts, an empty one, or one over 63 bytes.",
        "Correct the manifest.",
    ),
    "database_unmapped": ProblemText(
        "A manifest's `database_id` is not in `SEEDER['DATABASES']`.",
        "Correct the manifest, or add the id.",
    ),
    "report_missing": ProblemText(
        "An agency subscribes to a canned report that does not exist.",
        "Delete the subscription, or restore the report.",
    ),
    "schema_forbidden": ProblemText(
        "The role lacks USAGE on a schema: none of its views can be refreshed.",
        "The schema's owner grants it.",
    ),
    "create_forbidden": ProblemText(
        "Views are missing, and the role may not create views in their schema or lacks USAGE on a schema that"
        " they read. A missing SELECT shows when the view is created.",
        "The owner grants CREATE or USAGE, or creates the views.",
    ),
    "view_forbidden": ProblemText(
        "The role may not refresh a view: it lacks MAINTAIN (PostgreSQL 17 and later) or membership in the"
        " owner (before).",
        "The owner grants it. Before 17, give a superuser's view to seeder's role instead: no role should"
        " become a superuser's member.",
    ),
    "source_forbidden": ProblemText(
        "A view is filled as its owner, and the owner may not read a source of its query, directly or through"
        " plain views.",
        "The source's owner grants SELECT.",
    ),
    "temp_forbidden": ProblemText(
        "Refreshes are concurrent, which needs temporary tables for the view's owner. Without the privilege"
        " there is no fallback to a plain refresh.",
        "The database's owner grants TEMPORARY.",
    ),
    "stats_hidden": ProblemText(
        "`SEEDER_MAX_DB_ACTIVE_QUERIES` is set, but the role does not see other roles' sessions, so the"
        " throttle hardly works.",
        "`GRANT pg_read_all_stats`.",
    ),
    "schema_missing": ProblemText(
        "The schema of a manifest's view does not exist. Refreshes create views, not schemas.",
        "Create it, if the name is correct.",
    ),
    "not_materialized_view": ProblemText(
        "A table, a plain view or another object has the view's name.",
        "Rename it, or correct the manifest.",
    ),
    "query_refused": ProblemText(
        "A view is missing, and PostgreSQL refuses to create it from the manifest's query.",
        "Correct the query.",
    ),
    "concurrent_refused": ProblemText(
        "Refreshes must be concurrent (`SEEDER_CONCURRENT_FALLBACK=false`), and the view has no unique index on"
        " plain columns without WHERE.",
        "Create one. Only a person with knowledge of the data can choose the key; seeder never guesses.",
    ),
    "view_missing": ProblemText(
        "A view does not exist yet.",
        "Nothing: the next run creates it. `manage.py refresh_table` creates it at once.",
    ),
    "view_not_populated": ProblemText(
        "A view was created or restored WITH NO DATA; reading it fails.",
        "Nothing: the next run fills it.",
    ),
    "definition_drift": ProblemText(
        "A view was created from another query than its manifest's. If that query cannot be a view,"
        " PostgreSQL's message is included.",
        "Decide which one is right. Paste the statements, which recreate the view with indexes, owner and"
        " grants in one transaction; or restore the manifest's old query. Views that read it must be dropped"
        " before and created after.",
    ),
    "function_unqualified": ProblemText(
        "A function of a view names a table, function or type without its schema. PostgreSQL 17 and later"
        " refresh with `search_path = pg_catalog, pg_temp`. Found by the words of its body: it can be a column"
        " or variable of that name, and composed names are not found.",
        "Set the function's search_path, or qualify its names.",
    ),
    "index_invalid": ProblemText(
        "Building an index CONCURRENTLY did not finish, so it is not used. Each plain refresh rebuilds it, and"
        " fails with `unique_violation` if it is unique and the rows are not.",
        "Rebuild it. Drop it if the key has duplicates or if it is left over from a REINDEX.",
    ),
    "concurrent_falls_back": ProblemText(
        "Refreshes are concurrent, but this view has no unique index for it: readers wait.",
        "As for `concurrent_refused`.",
    ),
    "function_upgrade": ProblemText(
        "As `function_unqualified`, on a server before 17: the refresh works until the upgrade.",
        "The same, before the upgrade.",
    ),
    "concurrent_unready": ProblemText(
        "Refreshes are plain, as configured. This view could not be refreshed concurrently.",
        "Nothing, or as for `concurrent_refused`.",
    ),
    "drift_unknown": ProblemText(
        "A query could not be compared with its view: a lock, or no privilege to create temporary views or to"
        " use a schema.",
        "Check again later; grant TEMPORARY and USAGE.",
    ),
    "view_without_manifest": ProblemText(
        "A materialized view, in a schema of manifests or in `reporting`, has no manifest, not even a disabled one.",
        "Create a manifest, or drop the view if it is not read.",
    ),
    "queue_blocked": ProblemText(
        "The arguments of a django-q2 schedule cannot be read: once it is due, no schedule runs.",
        "Repair or delete it.",
    ),
    "queue_fault": ProblemText(
        "A setting runs tasks twice or lets them hang, or a time never comes: `seeder.E007` to `seeder.E014` of"
        " `manage.py check`.",
        "Follow the hint.",
    ),
    "queue_risk": ProblemText(
        "A setting of the queue can lose tasks: `seeder.W010` to `seeder.W013`.",
        "Follow the hint.",
    ),
    "queue_missing": ProblemText(
        "The queue is installed, but its tables or seeder's are missing.",
        "`manage.py migrate`, `manage.py install_schema`; or do not use it.",
    ),
    "setting_wrong": ProblemText(
        "`SEEDER_AGENCY_SCOPE` or `SEEDER_AGENCY_MODEL` does not exist (`seeder.E015`): the API and the pages"
        " refuse every user.",
        "Correct it.",
    ),
    "pg_stat_statements_unloaded": ProblemText(
        "The server does not preload `pg_stat_statements`: statement costs are null.",
        "Preload it, which needs a restart.",
    ),
    "pg_stat_statements_missing": ProblemText(
        "It is preloaded but not created in this database.",
        "`CREATE EXTENSION`",
    ),
    "pg_stat_statements_outdated": ProblemText(
        "It was created by an older server and is older than version 1.8.",
        "`ALTER EXTENSION … UPDATE`",
    ),
    "pg_stat_statements_forbidden": ProblemText(
        "The role may not read it.",
        "`GRANT`",
    ),
}
