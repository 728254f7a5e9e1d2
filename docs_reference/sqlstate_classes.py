"""SQLSTATE classes with the next step for conditions that have no entry of their own."""

from collections.abc import Mapping

from seeder.domain.failure_reasons import FailureReason

_CORRECT = "Correct the query."
_CORRECT_FUNCTION = "Correct the function in the query."
_ASK_AUTHOR = "A function in the query raises it: ask its author."
_ASK_OWNER = "Ask the server's owner."
_PRIVILEGE = "As for `insufficient_privilege`."

CLASSES: Mapping[str, FailureReason] = {
    "02": FailureReason("no data", _ASK_AUTHOR),
    "03": FailureReason("SQL statement not complete", _CORRECT),
    "08": FailureReason("connection exception", "As for `lost_connection`."),
    "09": FailureReason("triggered action exception", "Ask the trigger's owner."),
    "0A": FailureReason("feature not supported", _CORRECT),
    "0B": FailureReason("invalid transaction initiation", _ASK_AUTHOR),
    "0F": FailureReason("locator exception", _ASK_AUTHOR),
    "0L": FailureReason("invalid grantor", _PRIVILEGE),
    "0P": FailureReason("invalid role specification", _PRIVILEGE),
    "0Z": FailureReason("diagnostics exception", _ASK_AUTHOR),
    "10": FailureReason("XQuery error", "Correct the query or the data."),
    "20": FailureReason("`CASE` without a match, in a function", _CORRECT_FUNCTION),
    "21": FailureReason("cardinality violation", _CORRECT),
    "22": FailureReason("data exception", "Correct the data or the query; `errors` quotes the value."),
    "23": FailureReason("integrity constraint violation", "As for `unique_violation`."),
    "24": FailureReason("invalid cursor state", _CORRECT_FUNCTION),
    "25": FailureReason(
        "invalid transaction state",
        "Check if the server is the primary. Otherwise a function in the query does what a refresh may not do.",
    ),
    "26": FailureReason("invalid prepared statement", "Connect to PostgreSQL directly, not through a proxy."),
    "27": FailureReason("triggered data change violation", "Ask the trigger's owner."),
    "28": FailureReason("invalid authorization", "Check the role's name, its password and `pg_hba.conf`."),
    "2B": FailureReason("dependent privileges still exist", _PRIVILEGE),
    "2D": FailureReason("invalid transaction termination", _CORRECT_FUNCTION),
    "2F": FailureReason("SQL routine exception", _CORRECT_FUNCTION),
    "34": FailureReason("invalid cursor name", _CORRECT_FUNCTION),
    "38": FailureReason("external routine exception", _CORRECT_FUNCTION),
    "39": FailureReason("external routine invocation exception", "Correct the function, or update the extension."),
    "3B": FailureReason("savepoint exception", _CORRECT_FUNCTION),
    "3D": FailureReason("invalid catalog name", "`DATABASES` names a missing database: correct it."),
    "3F": FailureReason("invalid schema name", "Let the database's owner run `CREATE SCHEMA`."),
    "40": FailureReason("transaction rollback", "Refresh again."),
    "42": FailureReason("syntax error or access rule violation", "Correct the query, or grant the privilege."),
    "44": FailureReason("`WITH CHECK OPTION` violation", _CORRECT),
    "53": FailureReason("insufficient resources", "The server is short of disk, memory or connections."),
    "54": FailureReason("program limit exceeded", "Simplify the query."),
    "55": FailureReason("object not in prerequisite state", "Refresh the view that it reads first."),
    "57": FailureReason("operator intervention", "Ask the server's administrator, and refresh again."),
    "58": FailureReason("system error outside PostgreSQL", "Ask the server's owner: files, disks."),
    "72": FailureReason("snapshot too old", "Refresh again."),
    "F0": FailureReason("configuration file error", _ASK_OWNER),
    "HV": FailureReason("foreign data wrapper error", "Check the other server and its user mapping."),
    "P0": FailureReason("PL/pgSQL error", "A function in the query raised it; `errors` has its message."),
    "XX": FailureReason("internal error", "Read the server's log, and ask its owner."),
}
