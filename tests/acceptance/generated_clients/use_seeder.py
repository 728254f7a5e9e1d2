"""Use a generated client: two pages of jobs, a refresh, its state, and a problem.

Runs with the interpreter that has the client's dependencies: `PYTHON use_seeder.py ADDRESS TOKEN`.
Prints what it received as JSON.
"""

import json
import sys
from urllib.parse import parse_qs, urlsplit

from seeder_client import AuthenticatedClient
from seeder_client.api.jobs import get_job, list_jobs, refresh_job
from seeder_client.api.queue import get_request
from seeder_client.models import (
    EnqueueResult,
    Job,
    JobPage,
    ListJobsOrdering,
    Problem,
    ReportType,
    RequestStatus,
    Status,
)
from seeder_client.types import UNSET, Unset

address, token = sys.argv[1:]
client = AuthenticatedClient(base_url=address, token=token, prefix="Token", raise_on_unexpected_status=True)


def page(cursor: str | Unset = UNSET) -> JobPage:
    found = list_jobs.sync(
        client=client,
        ordering=ListJobsOrdering.TABLE_NAME,
        status=[Status.ERROR, Status.SUCCESS],
        page_size=2,
        cursor=cursor,
    )
    assert isinstance(found, JobPage)
    return found


first = page()
assert first.next_ is not None
[cursor] = parse_qs(urlsplit(first.next_).query)["cursor"]
second = page(cursor)
jobs = [*first.results, *second.results]
assert second.next_ is None
assert jobs[1].status is Status.SUCCESS
queued = refresh_job.sync(jobs[0].report_type, jobs[0].id, client=client, idempotency_key="client-1")
assert isinstance(queued, EnqueueResult)
assert isinstance(queued.request_id, str)
request = get_request.sync(queued.request_id, client=client)
assert isinstance(request, RequestStatus)
answer = get_job.sync_detailed(ReportType.CUSTOM, 999, client=client)
assert isinstance(answer.parsed, Problem | Job)
received = {
    "total": first.count,
    "jobs": [job.table_name for job in jobs],
    "started": [job.start_time is not None for job in jobs],
    "status": request.status,
    "agencies": request.parts[0].agencies,
    "problem": [answer.status_code, answer.parsed.code] if isinstance(answer.parsed, Problem) else None,
}
json.dump(received, sys.stdout)
