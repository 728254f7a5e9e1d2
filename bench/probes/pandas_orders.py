"""Loads a file of orders with pandas: python pandas_orders.py FILE

It runs in a separate environment and cannot import this project.
"""

import json
import os
import sys
import time

import pandas as pd
from sqlalchemy import URL, create_engine


def main() -> None:
    started_at = time.process_time()
    engine = create_engine(
        URL.create(
            "postgresql+psycopg",
            username=os.environ["PGUSER"],
            database=os.environ["PGDATABASE"],
            query={"host": os.environ["PGHOST"], "port": os.environ["PGPORT"]},
        )
    )
    frame = pd.read_csv(sys.argv[1], parse_dates=["ordered_on", "shipped_at"])
    frame.to_sql("orders", engine, if_exists="append", index=False, method="multi", chunksize=5000)
    print(json.dumps({"inner_cpu": time.process_time() - started_at}))


if __name__ == "__main__":
    main()
