"""The statistics of a view calculated by pandas in the client: python -m bench.probes.pandas_profile SCHEMA.VIEW

It runs in a separate environment and cannot import this project.
"""

import os
import sys

import pandas as pd
from sqlalchemy import URL, create_engine


def main() -> None:
    engine = create_engine(
        URL.create(
            "postgresql+psycopg",
            username=os.environ["PGUSER"],
            database=os.environ["PGDATABASE"],
            query={"host": os.environ["PGHOST"], "port": os.environ["PGPORT"]},
        )
    )
    frame = pd.read_sql_query(f"SELECT * FROM {sys.argv[1]}", engine)
    for name in frame.columns:
        column = frame[name]
        column.isna().sum(), column.nunique(), column.min(), column.max(), column.value_counts().head(10)


if __name__ == "__main__":
    main()
