"""The statements of pg_cron 1.6 with one job for each view: python -m bench.contenders.pg_cron WORKERS WORKLOAD.json

pg_cron is on no package index, so its scheduler is imitated. Each job has a connection of its own, at most
`cron.max_running_jobs` at once. The scheduler writes `cron.job_run_details` five times for each job (starting,
connecting, sending, running, succeeded) and commits each write. It knows no dependencies. Source: `ManageCronTask`,
`InsertJobRunDetail` and `UpdateJobRunDetail` in https://github.com/citusdata/pg_cron, src/pg_cron.c and
src/job_metadata.c.
"""

import json
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock
from time import monotonic
from typing import LiteralString

import psycopg
from psycopg import sql

from bench.workloads.workload import SCHEMA

# Columns and sequence as in pg_cron--1.2--1.3.sql.
_DETAILS = """
CREATE SCHEMA IF NOT EXISTS cron;
CREATE TABLE IF NOT EXISTS cron.job_run_details (
    jobid bigint, runid bigint PRIMARY KEY, job_pid integer, database text, username text, command text,
    status text, return_message text, start_time timestamptz, end_time timestamptz
);
CREATE SEQUENCE IF NOT EXISTS cron.runid_seq;
"""


class JobRunDetails:
    """The scheduler's connection, which writes what the jobs do."""

    def __init__(self) -> None:
        self._connection = psycopg.connect(autocommit=True)
        self._connection.execute(_DETAILS)
        self._turn = Lock()

    def insert(self, job: int, command: str) -> int:
        with self._turn:
            row = self._connection.execute(
                "INSERT INTO cron.job_run_details (jobid, runid, database, username, command, status)"
                " VALUES (%s, nextval('cron.runid_seq'), current_database(), current_user, %s, 'starting')"
                " RETURNING runid",
                [job, command],
            ).fetchone()
        return int(row[0]) if row else 0

    def update(self, run: int, assignments: LiteralString, values: Sequence[object] = ()) -> None:
        with self._turn:
            self._connection.execute(
                "UPDATE cron.job_run_details SET " + assignments + " WHERE runid = %s", [*values, run]
            )


def main() -> None:
    workers, file = int(sys.argv[1]), Path(sys.argv[2])
    views = json.loads(file.read_text())["views"]
    details = JobRunDetails()
    started_at = monotonic()
    with ThreadPoolExecutor(workers) as pool:
        for done in [pool.submit(_run_job, details, job, view) for job, view in enumerate(views)]:
            done.result()
    print(json.dumps({"inner": monotonic() - started_at}))


def _run_job(details: JobRunDetails, job: int, view: str) -> None:
    command = sql.SQL("REFRESH MATERIALIZED VIEW {}").format(sql.Identifier(SCHEMA, view)).as_string()
    run = details.insert(job, command)
    details.update(run, "status = 'connecting'")
    with psycopg.connect(autocommit=True, fallback_application_name="pg_cron") as connection:
        details.update(run, "job_pid = %s, status = 'sending'", [connection.info.backend_pid])
        details.update(run, "status = 'running', start_time = clock_timestamp()")
        connection.execute(command.encode())
    details.update(
        run, "status = 'succeeded', return_message = 'REFRESH MATERIALIZED VIEW', end_time = clock_timestamp()"
    )


if __name__ == "__main__":
    main()
