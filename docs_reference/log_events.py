"""The events of the logs `seeder` and `data_pipeline`, with the fields and the next step of each."""

from collections.abc import Mapping
from typing import NamedTuple


class LogEvent(NamedTuple):
    """One kind of line. `advice` is empty if the event needs no action."""

    level: str
    meaning: str
    fields: tuple[str, ...]
    advice: str = ""


_VIEW = ("run_id", "view", "database", "agencies", "report_types")
_PART = ("part", "run_id", "agencies")
_LOAD = ("load_id", "source", "source_uri", "request_id")
_COUNTS = ("rows_in", "rows_inserted", "rows_updated", "rows_unchanged", "rows_deleted", "rows_rejected")

LOG_EVENTS: Mapping[str, LogEvent] = {
    "api_problem": LogEvent(
        "error",
        "The API answered with an error of the server.",
        ("request", "route", "code"),
        "`request` is the id that the caller has. Look up the code in [errors](errors.md).",
    ),
    "run_started": LogEvent("info", "A run started.", ("run_id", "views", "rejected", "workers", "databases")),
    "manifest_rejected": LogEvent(
        "warning",
        "A manifest was left out of a run.",
        ("run_id", "view", "agencies", "report_types", "manifest_id", "reason"),
        "Look up its `reason`.",
    ),
    "manifest_edited": LogEvent(
        "info",
        "A user created, changed or removed a manifest, a canned report or a subscription. No field has the query.",
        ("action", "kind", "manifest_id", "view", "agency", "fields", "user"),
        "Review changes of `query`: it is code that runs as the refreshing role.",
    ),
    "check_edited": LogEvent(
        "info",
        "A user created, changed or removed a data check. No field has its SQL.",
        ("action", "view", "database", "check", "fields", "user"),
        "Review changes of `arguments` of the kinds `condition` and `query`: they are code that runs as the refreshing"
        " role.",
    ),
    "check_waived": LogEvent(
        "warning",
        "A user let a held view be published once.",
        ("view", "database", "check", "user"),
        "`seeder_check_waiver` has the reason and the figures.",
    ),
    "notification_failed": LogEvent(
        "warning",
        "An attempt to deliver a notification failed. It is repeated later.",
        ("channel", "notification", "attempts", "reason"),
        "None, unless it lasts: then check the receiver, or the settings of the channel.",
    ),
    "notification_given_up": LogEvent(
        "error",
        "A notification was given up after all attempts, or its receiver answered 410 (Gone).",
        ("channel", "notification", "attempts", "reason"),
        "Correct the receiver, then run `manage.py send_notifications --retry CHANNEL`.",
    ),
    "notification_delayed": LogEvent(
        "warning",
        "A run could not write a notification. The next `send_notifications` writes it.",
        ("run_id", "view", "reason"),
    ),
    "lineage_lost": LogEvent(
        "warning",
        "A run could not write an OpenLineage event. `send_notifications` ends a refresh that has started.",
        ("run_id", "view", "reason"),
    ),
    "notifications_muted": LogEvent(
        "warning",
        "A user muted the notifications of a view or a source of loads.",
        ("subject", "database", "user", "hours"),
        "`seeder_mute` has the reason and the end.",
    ),
    "notifications_unmuted": LogEvent("warning", "A user ended a mute.", ("subject", "database", "user")),
    "receiver_failed": LogEvent(
        "error",
        "A receiver of a Django signal raised an error. The run continued.",
        ("signal", "receiver", "reason"),
        "Correct the receiver; the log `django.dispatch` has its traceback.",
    ),
    "check_accepted": LogEvent(
        "warning",
        "A user made the rows of a held view the baseline of a data check.",
        ("view", "database", "check", "user"),
        "`seeder_check_waiver` has the reason and the figures.",
    ),
    "view_started": LogEvent("info", "A worker started a view.", _VIEW),
    "view_postponed": LogEvent(
        "info",
        "A started view waits for a worker again, because its worker was lost or it cannot share a transaction.",
        _VIEW,
    ),
    "view_ended": LogEvent(
        "info; warning if it failed, was interrupted or has notes",
        "A view ended. With outcome `interrupted` only `stopped_by` is added.",
        (
            *_VIEW,
            "outcome",
            "reason",
            "sqlstate",
            "mode",
            "fell_back",
            "attempts",
            "duration_seconds",
            "rows",
            "rows_inserted",
            "rows_deleted",
            "rows_unchanged",
            "size_bytes",
            "worker_wait_seconds",
            "throttle_wait_seconds",
            "lock_wait_seconds",
            "satisfied_by",
            "definition_drift",
            "notes",
            "stopped_by",
        ),
        "Look up its `reason`. `notes` is their number; `seeder_run_metrics.notes` has the texts.",
    ),
    "starts_held": LogEvent(
        "warning",
        "Starts in a database are on hold.",
        ("run_id", "database", "reason", "message"),
        "Look up `server_busy` or `circuit_open`.",
    ),
    "starts_resumed": LogEvent("warning", "The hold ended.", ("run_id", "database", "duration_seconds")),
    "run_warning": LogEvent(
        "warning",
        "The run continues with a limitation. `feature_unavailable`: an optional table or a privilege is missing."
        " `dependencies_unknown`: a second database did not answer, so its views start in any order. `worker_lost`: a"
        " connection was refused; the other workers continue. `contract_at_risk`: a view will probably miss its"
        " freshness contract.",
        ("run_id", "database", "reason", "message"),
        "Run `manage.py doctor`. For `dependencies_unknown` check that database. For `worker_lost` lower `MAX_WORKERS`"
        " or raise `max_connections`. For `contract_at_risk` start the run earlier, or use more workers.",
    ),
    "views_vacuumed": LogEvent(
        "info",
        "Views with many dead rows after concurrent refreshes were vacuumed at the end of the run. `skipped` are"
        " those that another session had locked, or whose VACUUM failed. Nothing depends on it.",
        ("run_id", "views", "skipped", "duration_seconds"),
    ),
    "run_ended": LogEvent(
        "info; warning unless everything succeeded",
        "A run ended.",
        ("run_id", "succeeded", "failed", "interrupted", "stopped_by", "duration_seconds"),
        "`manage.py refresh_status --failing`",
    ),
    "run_broken": LogEvent(
        "error",
        "A run lost its database, or ended by a bug. `reason` is the error's name.",
        ("run_id", "reason"),
        "Look it up in [errors](errors.md). Otherwise report it with the command's traceback.",
    ),
    "run_recovered": LogEvent(
        "warning",
        "An earlier run was killed. Its rows are closed now.",
        ("run_id", "rows"),
        "Find the killer: the machine's log, the container's memory limit.",
    ),
    "request_queued": LogEvent("info", "A refresh was queued.", ("request", "parts", "description", "requested_by")),
    "part_claimed": LogEvent("info", "A worker claimed a part.", (*_PART, "description", "left")),
    "part_ended": LogEvent(
        "info; warning unless everything succeeded",
        "A part ended.",
        (*_PART, "outcome", "succeeded", "failed"),
        "`manage.py queue_status`",
    ),
    "part_released": LogEvent(
        "warning",
        "A part was stopped or lost its database. It is queued again.",
        (*_PART, "cause", "stopped_by"),
        "Nothing, unless it repeats.",
    ),
    "cancel_requested": LogEvent("info", "A user or a command cancelled a request.", ("request", "requested_by")),
    "part_cancelled": LogEvent(
        "info",
        "A part ended as cancelled: it was queued, or its worker has stopped.",
        ("part", "requested_by", "agencies"),
    ),
    "part_rescued": LogEvent(
        "warning",
        "A part had no live worker. It is dispatched again.",
        ("part",),
        "Nothing, unless it repeats. Then check that workers are running.",
    ),
    "dispatch_failed": LogEvent(
        "warning",
        "A part is queued, but the broker did not accept its message. It will be dispatched again.",
        ("part", "reason"),
        "Check the broker.",
    ),
    "queue_problem": LogEvent(
        "warning", "A problem stops the queue.", ("reason",), "`manage.py queue_status` names it."
    ),
    "cluster_started": LogEvent("info", "`watch_queue` started a cluster.", ("pid",)),
    "cluster_ended": LogEvent("info", "`watch_queue` ended a cluster.", ("pid", "stopped_by")),
    "cluster_lost": LogEvent(
        "error",
        "A cluster ended or hung. `watch_queue` starts another.",
        ("pid", "cause", "duration_seconds"),
        "Nothing, unless it repeats. Then read the lines before it.",
    ),
    "history_pruned": LogEvent(
        "info",
        "Old history was deleted. The counts are deleted rows.",
        ("days", "rows", "runs", "parts", "stopped_by", "duration_seconds"),
    ),
    "snapshot_captured": LogEvent(
        "info",
        "A release snapshot was captured.",
        ("view", "database", "release_tag", "rows", "columns", "exact"),
    ),
}

LOADING_EVENTS: Mapping[str, LogEvent] = {
    "load_claimed": LogEvent(
        "info", "A process started a load. `attempt` is above 1 if an earlier one failed.", (*_LOAD, "attempt")
    ),
    "load_skipped": LogEvent("info", "A load was skipped, because it had succeeded before.", _LOAD),
    "load_succeeded": LogEvent(
        "info; warning if records were rejected",
        "The rows of a load are committed.",
        (*_LOAD, "target", "duration_seconds", *_COUNTS),
        "With `rows_rejected`: the page of the load lists the records with their reasons.",
    ),
    "load_failed": LogEvent(
        "warning",
        "A load failed, and nothing of it remains. `reason` is an SQLSTATE or the name of an error.",
        (*_LOAD, "reason", "target", "duration_seconds", *_COUNTS),
        "Look it up in [errors](errors.md) or [reasons](reasons.md). The page of the load has the message.",
    ),
    "load_interrupted": LogEvent(
        "warning",
        "The process of a load was killed or lost its connection. Nothing of it remains, and it is marked as failed.",
        ("load_id", "source", "attempt"),
        "Find the killer: the machine's log, the container's memory limit. Then load it again.",
    ),
    "load_undone": LogEvent(
        "info",
        "A load was undone: its rows were removed, and the previous ones restored.",
        ("load_id", "table", "removed", "restored", "reinserted", "actor"),
    ),
    "load_verified": LogEvent(
        "info; warning if something has changed",
        "The file of a load and its rows were compared with what was loaded.",
        ("load_id", "table", "artefact", "rows"),
        "`manage.py verify_load` shows what differs.",
    ),
    "rejects_replayed": LogEvent(
        "info",
        "Rejected records of a load were loaded by another load.",
        ("of_load", "load_id", "replayed", "refused"),
    ),
    "loads_pruned": LogEvent(
        "info",
        "Old rows of the loading lane and old uploads were deleted.",
        ("changes", "rejects", "loads", "requests", "uploads", "stopped_by"),
    ),
    "measurement_lost": LogEvent(
        "warning",
        "What a run recorded for the metrics could not be saved. The run itself is not affected.",
        ("source",),
        "Check the database.",
    ),
    "external_http.retry": LogEvent(
        "warning",
        "A call to another system failed and is attempted again. `reason` is `http_` with the status, `timeout`,"
        " `connect`, `dns` or `connection_lost`.",
        ("integration", "method", "attempt", "reason", "wait_seconds", "request_id"),
        "Nothing, unless it repeats. Then see [the runbook](../how-to/runbook.md#a-call-to-another-system-fails).",
    ),
    "etl_http_retry": LogEvent(
        "warning",
        "The same call, if it belongs to a load or run.",
        ("source", "integration", "method", "attempt", "reason", "wait_seconds", "request_id"),
    ),
    "operation_retried": LogEvent(
        "warning",
        "An operation with `@retry` failed and is attempted again. `reason` is the name of the error.",
        ("operation", "attempt", "reason", "wait_seconds", "request_id", "source"),
        "Nothing, unless it repeats.",
    ),
    "object_request_retried": LogEvent(
        "warning",
        "A request to the object storage failed and is attempted again. `reason` is the code of S3, a status, or"
        " `connection`.",
        ("operation", "object", "attempt", "reason", "wait_seconds"),
        "Nothing, unless it repeats. Then see [the runbook](../how-to/runbook.md#a-bucket-cannot-be-used).",
    ),
    "refresh_dispatched": LogEvent(
        "info",
        "The refresh of the views that depend on loaded tables was queued (`queued`), or done in the loader's process"
        " (`refreshed`). `unneeded`: no view of an enabled manifest depends on them.",
        ("loads", "outcome", "request"),
    ),
    "refresh_undispatched": LogEvent(
        "warning",
        "The refresh after a load could not be queued. The rows are loaded. The next load or `watch_queue` repeats it.",
        ("load_id",),
        "`manage.py load_file` and `manage.py queue_status` show the problem.",
    ),
    "request_ended": LogEvent(
        "info; warning if the file was not loaded",
        "A queued load ended.",
        ("request", "load_id", "outcome"),
        "The row of `load_request` has the error.",
    ),
    "request_rescued": LogEvent(
        "warning",
        "The message of a queued load was sent again: it was lost, or its worker was killed.",
        ("request",),
        "If it repeats: are clusters running?",
    ),
    "api_ingest_failed": LogEvent(
        "warning",
        "A request with a file or records was refused, or the server failed. The payload is never logged.",
        ("user", "route", "code", "status", "request"),
        "Look the code up in [errors](errors.md). With a status of 500 or more, read the lines with the same request.",
    ),
    "request_undispatched": LogEvent(
        "warning",
        "The message of a queued load could not be sent. `watch_queue` sends it again.",
        ("request", "reason"),
        "Check the broker of the queue.",
    ),
    "statistics_cache.failed": LogEvent(
        "warning",
        "The cache of statistics did not answer. Rows come from the database, and the cache is tried again every 30 s.",
        ("error",),
        "Check the Redis of `CACHE_REDIS_URL`, or the cache of `STATS_CACHE_ALIAS`.",
    ),
    "statistics_cache.recovered": LogEvent("info", "The cache of statistics answers again.", ()),
}
