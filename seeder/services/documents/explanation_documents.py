"""Documents of the explanation of a view."""

from seeder.domain.explanation.facts import AppliedContract, OpenWaiver, RelatedView, StoredCheck, StoredRefresh
from seeder.domain.explanation.outlook import contract_outlooks
from seeder.services.documents.data_check_documents import figures_document
from seeder.services.documents.document_fields import Document, fields
from seeder.services.documents.job_documents import manifest_document
from seeder.services.documents.run_documents import group_document, view_document
from seeder.services.read_models.view_explanation import ViewExplanation


def explanation_document(explanation: ViewExplanation) -> Document:
    """Return the facts and the sentences."""
    story = explanation.story
    relations = story.relations
    return {
        **view_document(story.view),
        **fields(story, "exists", at="now"),
        "decisions": [fields(one, "topic", "level", "text") for one in explanation.decisions],
        "manifests": [*map(manifest_document, story.manifests)],
        **fields(story.facts, "failing", lastSuccess="last_success_at", usualDurationSeconds="usual_duration"),
        **fields(story.age, dataAsOf="as_of", dataAsOfUnknown="unknown"),
        "lastRefresh": story.last and _refresh_document(story.last),
        "lastEnded": story.last_ended and _refresh_document(story.last_ended),
        "checks": [*map(_check_document, story.checks)],
        "waivers": [*map(_waiver_document, story.waivers)],
        "contracts": [*map(_contract_document, story.contracts)],
        "dependsOn": [*map(_related_document, relations.views)],
        "dependents": [*map(_related_document, relations.dependents)],
        "now": _outlook_document(explanation),
        **fields(relations, "tables", "hidden_views", "hidden_dependents", "further_dependents"),
    }


def _outlook_document(explanation: ViewExplanation) -> Document:
    outlook, story = explanation.outlook, explanation.story
    own = outlook.own_step
    return {
        "decisions": [fields(one, "topic", "level", "text") for one in explanation.expectations],
        "action": own and own.action,
        "expectedDurationSeconds": own and fields(own, seconds="expected_duration")["seconds"],
        "mode": outlook.mode and fields(outlook.mode, "mode", "reason"),
        "skip": outlook.skip and fields(outlook.skip, "action", "reason"),
        "plan": [
            {**view_document(one.view), **fields(one, "action", "after", expectedDurationSeconds="expected_duration")}
            for one in outlook.steps
        ],
        **fields(
            outlook,
            "hidden_steps",
            "checks",
            "active_queries",
            "next_trial_at",
            "problem",
            concurrentRefused="is_unready",
        ),
        "blockingSessions": len(outlook.blocking_sessions),
        "contracts": [
            {"contract": str(one.contract), **fields(one, "alone", "together")}
            for one in contract_outlooks(story, outlook)
        ],
    }


def _refresh_document(refresh: StoredRefresh) -> Document:
    sizes = {"recordsProcessed": "rows", "bytesProcessed": "size_bytes"}
    period = {"startTime": "started_at", "finishTime": "finished_at", "durationSeconds": "duration"}
    waits = {f"{wait}WaitSeconds": f"{wait}_wait" for wait in ("worker", "throttle", "lock")}
    metrics = ("mode", "mode_reason", "fell_back", "attempts", "rows_inserted", "rows_deleted")
    return {
        **fields(refresh, "run_id", "status", "reason", "sqlstate", "requested_by", "skip_reason", **period, **sizes),
        **fields(refresh, description="run_description", errors="message"),
        "notes": list(refresh.notes),
        "group": refresh.group and group_document(refresh.group),
        "metrics": refresh.metrics and fields(refresh.metrics, *metrics, **waits),
    }


def _check_document(check: StoredCheck) -> Document:
    return {
        **fields(check, "name", "kind", "severity", "outcome", "sqlstate", "text"),
        "figures": figures_document(check.figures),
    }


def _waiver_document(waiver: OpenWaiver) -> Document:
    return {
        **fields(waiver, "sqlstate", "reason", "granted_by", "granted_at", "expires_at", check="check_name"),
        "figures": figures_document(waiver.figures),
    }


def _contract_document(applied: AppliedContract) -> Document:
    return {
        "contract": str(applied.contract),
        **fields(applied.contract, "severity", contractId="id"),
        **fields(applied.judgement, "state", "cause", "deadline"),
    }


def _related_document(related: RelatedView) -> Document:
    return {
        **view_document(related.view),
        **fields(related, listed="is_listed"),
        **fields(related.facts, "status", "failing", held="is_held", lastSuccess="last_success_at"),
        **fields(related.age, dataAsOf="as_of", dataAsOfUnknown="unknown"),
    }
