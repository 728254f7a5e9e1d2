"""Use a generated client: pages of loads, rejects, an upload, its request, and a problem.

Runs with the interpreter that has the client's dependencies: `PYTHON use_pipeline.py ADDRESS TOKEN`.
Prints what it received as JSON.
"""

import json
import sys
from io import BytesIO
from urllib.parse import parse_qs, urlsplit

from pipeline_client import AuthenticatedClient
from pipeline_client.api.ingest import ingest_file, ingest_records
from pipeline_client.api.loads import list_loads, list_rejects, undo_load
from pipeline_client.api.requests import get_load_request
from pipeline_client.models import (
    Form,
    ListLoadsStatusItem,
    LoadPage,
    Problem,
    QueuedRequest,
    RejectPage,
    Request,
    RequestStatus,
)
from pipeline_client.types import UNSET, File, Unset

address, token = sys.argv[1:]
client = AuthenticatedClient(base_url=address, token=token, prefix="Token", raise_on_unexpected_status=True)


def page(cursor: str | Unset = UNSET) -> LoadPage:
    statuses = [ListLoadsStatusItem.SUCCESS, ListLoadsStatusItem.FAILED]
    found = list_loads.sync(client=client, status=statuses, page_size=3, cursor=cursor)
    assert isinstance(found, LoadPage)
    return found


first = page()
assert first.next_ is not None
[cursor] = parse_qs(urlsplit(first.next_).query)["cursor"]
loads = [*first.results, *page(cursor).results]
damaged = next(load for load in loads if load.rows_rejected)
rejects = list_rejects.sync(damaged.load_id, client=client)
assert isinstance(rejects, RejectPage)

content = b"id,amount\n7,1\n"
form = Form(file=File(payload=BytesIO(content), file_name="fees.csv"), table="landing.fees")
record = {"id": 8, "amount": 2}
queued = [
    ingest_file.sync(client=client, body=form),
    ingest_file.sync(client=client, body=File(payload=BytesIO(content)), table="landing.fees", idempotency_key="once"),
    ingest_records.sync(client=client, body=[record], table="landing.fees"),
]
states = []
for one in queued:
    assert isinstance(one, QueuedRequest), one
    request = get_load_request.sync(one.request_id, client=client)
    assert isinstance(request, Request)
    assert request.status is RequestStatus.QUEUED
    states.append([request.action, request.label])
answer = undo_load.sync_detailed(999, client=client)
assert isinstance(answer.parsed, Problem)
received = {
    "loads": [[load.table, load.status] for load in loads],
    "rejects": [[reject.record_no, reject.problems[0].sqlstate] for reject in rejects.results],
    "requests": states,
    "problem": [answer.status_code, answer.parsed.code],
}
json.dump(received, sys.stdout)
