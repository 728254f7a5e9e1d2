"""Fuzz the API: every response must match the schema."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from rest_framework.authtoken.models import Token

from seeder.domain.refresh_requests import AgencyReports
from seeder.models import Run
from seeder.services.queue import enqueue
from tests import ports
from tests.acceptance import api_clients
from tests.acceptance.data_pipeline import api_scene
from tests.conftest import CHECKOUT, process_environment, sql
from tests.polling import eventually

pytestmark = pytest.mark.slow

EXAMPLES = os.environ.get("SEEDER_EXAMPLES", "2")  # per operation; `make soak` sets more
EXCLUDED_CHECK = "positive_data_acceptance"  # valid input can still name an unknown object


@pytest.fixture
def server(contract_tables: None, tmp_path: Path) -> Iterator[str]:
    """Run the development server in another process, on the database of this test."""
    port = ports.free_port()
    process = subprocess.Popen(
        [sys.executable, "manage.py", "runserver", "--noreload", f"127.0.0.1:{port}"],
        cwd=CHECKOUT,
        env={
            **process_environment(),
            "SEEDER_API_WRITE_RATE": "60000/min",
            "SEEDER_ALLOW_MANIFEST_EDITING": "on",
            "DATA_PIPELINE_UPLOAD_ROOT": os.fspath(tmp_path),
        },
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,  # one line per request
    )
    try:
        eventually(lambda: ports.is_listening(port) or process.poll() is not None)
        assert process.poll() is None
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()
        api_clients.delete_users()


def fuzz(url: str, folder: Path, known: Mapping[str, object]) -> None:
    """Call every operation of the API at a URL. Fail with a report if a response does not match the schema."""
    lines = ["[parameters]", *(f'"path.{name}" = "{fact}"' for name, fact in known.items())]
    (folder / "schemathesis.toml").write_text("\n".join(lines))
    hooks = folder / "hooks.py"
    hooks.write_text('import schemathesis\nschemathesis.serializer.alias("application/x-ndjson", "text/plain")\n')
    token = Token.objects.create(user=User.objects.create_superuser("fuzzer"))
    report = folder / "report.txt"
    with report.open("w") as out:
        code = subprocess.call(
            [
                Path(sys.executable).with_name("schemathesis"),
                *("run", f"{url}schema/", "--header", f"Authorization: Token {token.key}"),
                *("--checks", "all", "--exclude-checks", EXCLUDED_CHECK, "--phases", "examples,coverage,fuzzing"),
                *("--seed", "1", "--max-examples", EXAMPLES, "--continue-on-failure", "--no-shrink", "--no-color"),
                *("--generation-database", "none", "--request-timeout", "10"),
            ],
            cwd=folder,
            env={**os.environ, "SCHEMATHESIS_HOOKS": os.fspath(hooks)},
            stdout=out,
            stderr=subprocess.STDOUT,
            timeout=3600,
        )
    assert code == 0, report.read_text()[-10_000:]


def test_every_response_matches_schema(server: str, tmp_path: Path) -> None:
    api_clients.create_reports()
    api_clients.capture_two_snapshots()
    request_id = enqueue.enqueue_refresh(AgencyReports(slug="demo"), requested_by="a test").request_id
    known = {"slug": "demo", "requestId": request_id, "runId": Run.objects.get().run_id}
    fuzz(server + api_clients.ROOT, tmp_path, known)


def test_every_response_of_loads_matches_schema(load_tables: None, server: str, tmp_path: Path) -> None:
    api_scene.create_loads(tmp_path)
    sql("CREATE MATERIALIZED VIEW reporting.v_roi_full AS SELECT 'A'::text AS asin, now()::date AS day")
    fuzz(server + api_scene.ROOT, tmp_path, {})
