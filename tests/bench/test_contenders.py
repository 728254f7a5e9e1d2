"""The contender that sends the app's statements follows the app."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.db import connection

from seeder.models import JobStatus, RunHistory
from tests.conftest import CHECKOUT, sql

pytestmark = pytest.mark.usefixtures("contract_tables")


def test_recording_pool_records_every_refresh(tmp_path: Path) -> None:
    names = ["small_0", "small_1", "small_2"]
    for name in names:
        sql(f"CREATE MATERIALIZED VIEW reporting.{name} AS SELECT 1 AS n")
    workload = tmp_path / "workload.json"
    workload.write_text(json.dumps({"views": names}))
    server = connection.get_connection_params()
    libpq = {"PGHOST": str(server["host"]), "PGPORT": str(server["port"]), "PGDATABASE": str(server["dbname"])}
    subprocess.run(
        [sys.executable, "-m", "bench.contenders.recording", "2", str(workload)],
        cwd=CHECKOUT,
        env={**os.environ, **libpq, "PGUSER": str(server["user"])},
        check=True,
        stdout=subprocess.DEVNULL,
    )
    recorded = RunHistory.objects.values_list("table_name", "status", "records_processed")
    assert sorted(recorded) == [(f"reporting.{name}", "success", 1) for name in names]
    assert set(JobStatus.objects.values_list("status", flat=True)) == {"success"}
