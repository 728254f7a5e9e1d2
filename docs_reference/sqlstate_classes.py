"""SQLSTATE classes with the next step for conditions that have no entry of their own."""

from collections.abc import Mapping

from docs_reference.failure_reasons import AS_LOST, ReasonText

_CORRECT = "Correct the query."
_CORRECT_FUNCTION = "Correct the function in the query."
_ASK_AUTHOR = "A function in the query raises it: ask its author."
_ASK_OWNER = "Ask the server's owner."
_PRIVILEGE = "As for `insufficient_privilege`."

CLASSES: Mapping[str, ReasonText] = {
    "02": ReasonText("no data", _ASK_AUTHOR),
    "03": ReasonText("SQL statement not complete", _CORRECT),
    "08": ReasonText("connection exception", AS_LOST),
    "09": ReasonText("triggered action exception", "Ask the trigger's owner."),
    "0A": ReasonText("feature not supported", _CORRECT),
    "0B": ReasonText("invalid transaction initiation", _ASK_AUTHOR),
    "0F": ReasonText("locator exception", _ASK_AUTHOR),
    "0L": ReasonText("invalid grantor", _PRIVILEGE),
    "0P": ReasonText("invalid role specification", _PRIVILEGE),
    "0Z": ReasonText("diagnostics exception", _ASK_AUTHOR),
    "10": ReasonText("XQuery error", "Correct the query or the data."),
    "20": ReasonText("`CASE` without a match, in a function", _CORRECT_FUNCTION),
    "21": ReasonText("cardinality violation", _CORRECT),
    "22": ReasonText("data exception", "Correct the data or the query; `errors` quotes the value."),
    "23": ReasonText("integrity constraint violation", "As for `unique_violation`."),
    "24": ReasonText("invalid cursor state", _CORRECT_FUNCTION),
    "25": ReasonText(
        "invalid transaction state",
        "Check if the server is the primary. Otherwise a function in the query does what a refresh may not do.",
    ),
    "26": ReasonText("invalid prepared statement", "Connect to PostgreSQL directly, not through a proxy."),
    "27": ReasonText("triggered data change violation", "Ask the trigger's owner."),
    "28": ReasonText("invalid authorization", "Check the role's name, its password and `pg_hba.conf`."),
    "2B": ReasonText("dependent privileges still exist", _PRIVILEGE),
    "2D": ReasonText("invalid transaction termination", _CORRECT_FUNCTION),
    "2F": ReasonText("SQL routine exception", _CORRECT_FUNCTION),
    "34": ReasonText("invalid cursor name", _CORRECT_FUNCTION),
    "38": ReasonText("external routine exception", _CORRECT_FUNCTION),
    "39": ReasonText("external routine invocation exception", "Correct the function, or update the extension."),
    "3B": ReasonText("savepoint exception", _CORRECT_FUNCTION),
    "3D": ReasonText("invalid catalog name", "`DATABASES` names a missing database: correct it."),
    "3F": ReasonText("invalid schema name", "Let the database's owner run `CREATE SCHEMA`."),
    "40": ReasonText("transaction rollback", "Refresh again."),
    "42": ReasonText("syntax error or access rule violation", "Correct the query, or grant the privilege."),
    "44": ReasonText("`WITH CHECK OPTION` violation", _CORRECT),
    "53": ReasonText("insufficient resources", "The server is short of disk, memory or connections."),
    "54": ReasonText("program limit exceeded", "Simplify the query."),
    "55": ReasonText("object not in prerequisite state", "Refresh the view that it reads first."),
    "57": ReasonText("operator intervention", "Ask the server's administrator, and refresh again."),
    "58": ReasonText("system error outside PostgreSQL", "Ask the server's owner: files, disks."),
    "72": ReasonText("snapshot too old", "Refresh again."),
    "F0": ReasonText("configuration file error", _ASK_OWNER),
    "HV": ReasonText("foreign data wrapper error", "Check the other server and its user mapping."),
    "P0": ReasonText("PL/pgSQL error", "A function in the query raised it; `errors` has its message."),
    "XX": ReasonText("internal error", "Read the server's log, and ask its owner."),
}
