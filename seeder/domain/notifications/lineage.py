"""OpenLineage events: https://openlineage.io/spec/2-0-2/OpenLineage.json."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid5

from seeder.domain.notifications.events import Facts
from seeder.domain.outcomes import Outcome

EVENT = "lineage"  # in `seeder_notification.event`

_PRODUCER = "https://github.com/reporting-seeder/reporting-seeder"
_SPEC = "https://openlineage.io/spec"
_IDS = UUID("5a3dd1f2-7a5c-4b53-9a57-2f0c7b0f6f5e")  # the namespace of run ids
_RUN_JOB = "run"


class EventType(StrEnum):
    """A transition of a refresh or a run."""

    START = "START"
    COMPLETE = "COMPLETE"
    FAIL = "FAIL"
    ABORT = "ABORT"


def type_of(outcome: Outcome) -> EventType:
    """Return the transition with which a refresh ended. A skipped one is complete."""
    return EventType.FAIL if outcome in {Outcome.FAILED, Outcome.HELD} else EventType.COMPLETE


@dataclass(frozen=True, kw_only=True, slots=True)
class LineageDatabase:
    """A database in the naming of OpenLineage."""

    host: str
    port: int
    name: str

    def dataset(self, relation: str) -> dict[str, Any]:
        """Return a dataset. `relation` has its schema."""
        return {"namespace": f"postgres://{self.host}:{self.port}", "name": f"{self.name}.{relation}"}


@dataclass(frozen=True, kw_only=True, slots=True)
class LineageView:
    """What a view reads."""

    inputs: Sequence[str]  # relations with their schemas
    sql: str | None  # None if it is not sent


def run_event(facts: Facts, *, namespace: str, version: str) -> dict[str, Any]:
    """Return the event of a run, which is the parent of its refreshes.

    `facts` are those of a row of the outbox: `type`, `at`, `run_id` and, at the end, `reason`.
    """
    producer = f"{_PRODUCER}/tree/v{version}"
    return {
        "eventType": facts["type"],
        "eventTime": facts["at"],
        "producer": producer,
        "schemaURL": f"{_SPEC}/2-0-2/OpenLineage.json#/$defs/RunEvent",
        "run": {"runId": _run_uuid(facts["run_id"]), "facets": _error_facet(producer, facts)},
        "job": {"namespace": namespace, "name": _RUN_JOB, "facets": {"jobType": _job_type_facet(producer, "JOB")}},
        "inputs": [],
        "outputs": [],
    }


def refresh_event(
    facts: Facts, *, namespace: str, database: LineageDatabase, view: LineageView, version: str
) -> dict[str, Any]:
    """Return the event of a refresh.

    `facts` are those of a row of the outbox: those of a run, `view`, `database` and, at the end, `sqlstate`, `rows`
    and `size_bytes`.
    """
    event = run_event(facts, namespace=namespace, version=version)
    producer, name, run_id = event["producer"], facts["view"], facts["run_id"]
    parent = {"run": {"runId": _run_uuid(run_id)}, "job": {"namespace": namespace, "name": _RUN_JOB}}
    job_facets = {"jobType": _job_type_facet(producer, "MATERIALIZED_VIEW")}
    if view.sql is not None:
        job_facets["sql"] = _facet(producer, "1-1-0/SQLJobFacet", query=view.sql, dialect="postgresql")
    output = database.dataset(name)
    statistics = {"rowCount": facts.get("rows"), "size": facts.get("size_bytes")}
    known = {name: value for name, value in statistics.items() if value is not None}
    if facts["type"] == EventType.COMPLETE and known:
        facet = _facet(producer, "1-0-2/OutputStatisticsOutputDatasetFacet", **known)
        output["outputFacets"] = {"outputStatistics": facet}
    return {
        **event,
        "run": {
            "runId": _run_uuid(f"{run_id}/{facts['database']}/{name}"),
            "facets": {**event["run"]["facets"], "parent": _facet(producer, "1-2-0/ParentRunFacet", **parent)},
        },
        "job": {"namespace": namespace, "name": f"{database.name}.{name}", "facets": job_facets},
        "inputs": [database.dataset(one) for one in view.inputs],
        "outputs": [output],
    }


def _run_uuid(name: str) -> str:
    return str(uuid5(_IDS, name))


def _error_facet(producer: str, facts: Facts) -> dict[str, Any]:
    """Return why a run or a refresh failed, if it did."""
    if not facts.get("reason") or facts["type"] not in {EventType.FAIL, EventType.ABORT}:
        return {}
    message = ", SQLSTATE ".join(filter(None, (facts["reason"], facts.get("sqlstate"))))
    facet = _facet(producer, "1-0-1/ErrorMessageRunFacet", message=message, programmingLanguage="SQL")
    return {"errorMessage": facet}


def _job_type_facet(producer: str, job_type: str) -> dict[str, Any]:
    return _facet(
        producer, "2-0-4/JobTypeJobFacet", processingType="BATCH", integration="REPORTING_SEEDER", jobType=job_type
    )


def _facet(producer: str, schema: str, **values: Any) -> dict[str, Any]:
    name = schema.partition("/")[2]
    return {"_producer": producer, "_schemaURL": f"{_SPEC}/facets/{schema}.json#/$defs/{name}", **values}
