"""docs/reference/reasons.md: reasons of failures with the next step for each."""

import psycopg
from django.db import OperationalError
from psycopg.pq import DiagnosticField

from docs_reference.failure_reasons import CONDITIONS, OWN_REASONS
from docs_reference.markdown_text import anchored_code, page, table
from docs_reference.sqlstate_classes import CLASSES
from seeder.postgres import sqlstates
from seeder.postgres.sqlstates import QUERY_CANCELED

_INTRO = """A *reason* is the machine-readable cause of a failure. It is stored in
`reporting.seeder_run_metrics.reason`. It is also in the output of `refresh_*` and `refresh_status`, in the API, on
the pages and in the log. Interrupted views and rejected manifests have no stored reason; their `errors` has the
cause. The [runbook](../how-to/runbook.md) has the steps by symptom."""

_POSTGRES = """Every other reason is PostgreSQL's name of the condition. `errors` has its message, often with
advice.

- *Retried*: the view is retried up to `MAX_RETRIES` times before it fails; `attempts` counts them.
- *Server*: the failure is a fault of the server. It counts for the circuit breaker also with
  `BREAKER_COUNTS=server`.

Both columns are about errors of seeder's own server. A function or a foreign server in the query can report any
SQLSTATE, such as 08001 if the foreign server is down. If seeder's own session still answers, such an error is
neither retried as a lost connection nor counted as a fault of the server."""

_CLASSES = """Conditions that are not listed above, by the first two characters of their SQLSTATE. A reason that is
only an SQLSTATE is a code without a name, such as one of an extension."""

# Errors with which the server ends a session.
_CLASSES_ENDING_SESSION, _ENDING_SESSION = {"08", "57"}, {"53300", "25P03", "25P04"}

_NOTES = """Notes on a result are in `reporting.seeder_run_metrics.notes`, one on each line. Those of a failure
are also in `errors`. Interruptions and rows that were not started have only `errors`."""


def render() -> str:
    """Return the page."""
    return page(
        "Reasons and notes",
        _INTRO,
        "## Reasons of seeder",
        table(
            ("reason", "what happened", "what to do"),
            ((anchored_code(reason), text.cause, text.advice) for reason, text in OWN_REASONS.items()),
        ),
        "## Reasons of PostgreSQL",
        _POSTGRES,
        table(
            ("reason", "SQLSTATE", "retried", "server", "what happened", "what to do"),
            (
                (anchored_code(sqlstates.condition_name(state)), state, *_decisions(state), text.cause, text.advice)
                for state, text in CONDITIONS.items()
            ),
        ),
        "## Other conditions by class",
        _CLASSES,
        table(
            ("class", "condition", "retried", "server", "what to do"),
            ((name, text.cause, *_decisions(f"{name}ZZZ"), text.advice) for name, text in CLASSES.items()),
        ),
        "## Notes",
        _NOTES,
        table(("note", "what to do"), _NOTE_ROWS),
    )


_NOTE_ROWS = (
    (
        "interrupted: with a signal, *the time limit of the queue*, or an error",
        "The run ended first. Refresh again; a queued part continues by itself.",
    ),
    (
        "interrupted: the run ended before it could report the result",
        "The next run closed the row. The view is unchanged or refreshed. Read the log of the machine or container.",
    ),
    ("not started", "The database was on hold: see `server_busy` and `circuit_open`."),
    ("the sessions that blocked the refresh", "End one of them if it is not needed."),
    ("another run refreshed the view", "Nothing: its result is as good."),
    (
        "reason `skipped` with status `success`",
        "Nothing: [a refresh would have published the same rows](../explanation/skipping.md).",
    ),
    (
        "refreshed plainly although concurrently was configured",
        "Create a unique index on plain columns without `WHERE`, so that readers do not wait.",
    ),
    ("it reads a view that failed in this run", "Repair that view, then refresh this one again."),
    (
        "it reads a view that its data checks held in this run",
        "As for the reason `held` of that view. Then refresh this one again.",
    ),
    (
        "warning of a data check",
        "The view is published. Look at the data, or change the check.",
    ),
    (
        "published although a data check failed, by a waiver",
        "Nothing: the waiver names its author and reason.",
    ),
    (
        "definition drift: the manifest's query is not the query of the view",
        "[Recreate the view](../how-to/runbook.md#recreate-a-view), or restore the old query.",
    ),
)


def _error(state: str) -> OperationalError:
    """Return an error of the server itself, as Django raises it."""
    ends_session = state in _ENDING_SESSION or (state[:2] in _CLASSES_ENDING_SESSION and state != QUERY_CANCELED)
    severity = b"FATAL" if ends_session else b"ERROR"
    error, cause = OperationalError(), psycopg.DatabaseError(info={DiagnosticField.SEVERITY_NONLOCALIZED: severity})
    cause.sqlstate = state
    error.__cause__ = cause
    return error


def _decisions(state: str) -> tuple[str, str]:
    """Return if a failure is retried and if it blames the server."""
    error = _error(state)
    is_retried, blames_server = sqlstates.is_transient(error), sqlstates.is_server_fault(error)
    return "yes" if is_retried else "no", "yes" if blames_server else "no"
