"""Transforms an object from bronze to silver: python -m bench.probes.transform_orders AGENCY BRONZE SILVER DIALECT

The last line of the output has the CPU seconds without the start of Python and the imports.
"""

import json
import sys
import time

from data_pipeline import conf
from data_pipeline.services.silver.planning import plan_silver, silver_request
from data_pipeline.services.silver.running import SilverRun
from data_pipeline.storage.object_store import ObjectStore


def main() -> None:
    agency, source, destination, dialect = sys.argv[1:]
    settings = conf.load_in_use()
    request = silver_request(
        settings, agency_id=agency, source_bucket=source, destination_bucket=destination, dialect=dialect, force=True
    )
    store = ObjectStore(settings)
    started_at = time.process_time()
    [outcome] = SilverRun(store, request, settings).transform_all(plan_silver(store, request))
    cpu = time.process_time() - started_at
    print(json.dumps({"inner_cpu": cpu, "rows": outcome.rows, "rows_rejected": outcome.rejects}))


if __name__ == "__main__":
    main()
