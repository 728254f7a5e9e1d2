"""Loads a file of orders with dlt: python dlt_orders.py FILE rows|arrow

It runs in a separate environment and cannot import this project. dlt creates its own tables.
"""

import csv
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"

import dlt


@dlt.resource(name="orders_by_dlt", write_disposition="append")  # type: ignore[untyped-decorator]  # not installed here
def orders() -> Iterator[Any]:
    if sys.argv[2] == "arrow":
        import pyarrow.csv

        yield from (batch for batch in pyarrow.csv.open_csv(sys.argv[1]))
    else:
        with Path(sys.argv[1]).open(newline="", encoding="utf-8") as file:
            yield from csv.DictReader(file)


def main() -> None:
    started_at = time.process_time()
    user, database, port = (os.environ[name] for name in ("PGUSER", "PGDATABASE", "PGPORT"))
    # dlt requires a password and a host; libpq takes the socket folder from the query.
    address = f"postgresql://{user}:unused@localhost:{port}/{database}?host={os.environ['PGHOST']}"
    with tempfile.TemporaryDirectory() as folder:
        pipeline = dlt.pipeline(
            pipeline_name="bench",
            pipelines_dir=folder,
            destination=dlt.destinations.postgres(address),
            dataset_name="dlt_orders",
        )
        pipeline.run(orders(), loader_file_format="csv" if sys.argv[2] == "arrow" else None).raise_on_failed_jobs()
    print(json.dumps({"inner_cpu": time.process_time() - started_at}))


if __name__ == "__main__":
    main()
