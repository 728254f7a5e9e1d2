"""Examples of the endpoint for changed rows."""

from collections.abc import Mapping

from seeder.api.examples import JOB, page_of
from seeder.api.schema_document import OperationExample

OPERATIONS: Mapping[str, OperationExample] = {
    "listChangeSamples": OperationExample(
        response=page_of(
            {
                "id": 7,
                "requestedBy": "ada",
                "requestedAt": "2026-11-21T18:20:11.110200+00:00",
                "maxRows": 5,
                "runId": JOB["lastRunId"],
                "inserted": 1,
                "deleted": 0,
                "updated": 1,
                "note": None,
                "rows": [
                    {
                        "kind": "updated",
                        "key": {"month": "2026-10-01"},
                        "old": {"incidents": "41"},
                        "new": {"incidents": "43"},
                        "omitted": 0,
                    },
                    {
                        "kind": "inserted",
                        "key": {"month": "2026-11-01"},
                        "old": {},
                        "new": {"incidents": "29"},
                        "omitted": 0,
                    },
                ],
            }
        )
    ),
}
