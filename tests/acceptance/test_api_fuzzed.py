"""Fuzz the APIs: every response must match the schema."""

import json
import os
import re
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

EXAMPLES = os.environ.get("SEEDER_EXAMPLES", "5")  # per operation; `make soak` sets more
PHASES = os.environ.get("SEEDER_PHASES", "examples,fuzzing")  # `make soak` adds the long one: every boundary value
SEED = os.environ.get("SEEDER_SEED", "1")
MIN_CALLS = int(os.environ.get("SEEDER_CALLS", "0"))  # of each API
EXCLUDED_CHECK = "positive_data_acceptance"  # valid input can still name an unknown object
REFUSALS = [400, 401, 403, 404, 405, 409, 413, 414, 415, 422, 429, 503]  # of invalid input
_TEST_CASES = re.compile(r"(\d[\d,]*) generated")


@pytest.fixture
def server(load_tables: None, empty_queue: None, tmp_path: Path) -> Iterator[str]:
    """Run the development server in another process, on the database of this test. It allows everything."""
    port = ports.free_port()
    environment = {
        "SEEDER_API_WRITE_RATE": "60000/min",
        "SEEDER_ALLOW_MANIFEST_EDITING": "true",
        "DATA_PIPELINE_UPLOAD_ROOT": str(tmp_path),
    }
    with (tmp_path / "server.log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "runserver", "--noreload", f"127.0.0.1:{port}"],
            cwd=CHECKOUT,
            env={**process_environment(), **environment},
            stdout=subprocess.DEVNULL,
            stderr=log,  # one line per request
        )
    try:
        eventually(lambda: ports.is_listening(port) or process.poll() is not None)
        assert process.poll() is None
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()
        api_clients.delete_users()


def test_every_response_of_reports_matches_schema(server: str, tmp_path: Path) -> None:
    api_clients.create_reports()
    api_clients.capture_two_snapshots()
    request_id = enqueue.enqueue_refresh(AgencyReports(slug="demo"), requested_by="a test").request_id
    api_clients.create_held_check()
    known = {"slug": "demo", "requestId": request_id, "runId": Run.objects.get().run_id, "check": "rows"}
    names = {"views": "reporting.good"}
    assert calls_of(f"{server}/api/seeder/v1/", known, tmp_path, names) >= MIN_CALLS


def test_every_response_of_loads_matches_schema(server: str, tmp_path: Path) -> None:
    api_scene.create_loads(tmp_path)
    sql("CREATE MATERIALIZED VIEW reporting.v_roi_full AS SELECT 'A'::text AS asin, now()::date AS day")
    names = {"stats": "roi", "tables": "landing.orders", "views": "reporting.order_total"}
    assert calls_of(f"{server}/api/pipeline/v1/", {"id": api_scene.DAMAGED}, tmp_path, names) >= MIN_CALLS


def calls_of(root: str, known: Mapping[str, object], folder: Path, names: Mapping[str, str] | None = None) -> int:
    """Fuzz an API as a superuser, and return the number of calls.

    `known` are parameters of paths, and `names` the parameter `name` by the first part of the path.
    """
    lines = ["[checks.negative_data_rejection]", f"expected-statuses = {REFUSALS}"]
    lines += ["[parameters]", *(f'"path.{name}" = {json.dumps(fact)}' for name, fact in known.items())]
    # In a URL, the boolean false and the list of the text "false" are the same.
    lines += ["[[operations]]", "include-method = 'GET'", "[operations.checks.negative_data_rejection]"]
    lines += [f"expected-statuses = {[200, *REFUSALS]}"]
    for part, name in (names or {}).items():
        lines += [
            "[[operations]]",
            f"include-path-regex = '/v1/{part}/'",
            f'parameters."path.name" = {json.dumps(name)}',
        ]
    (folder / "schemathesis.toml").write_text("\n".join(lines))
    token = Token.objects.create(user=User.objects.create_superuser("fuzzer"))
    report = folder / "report.txt"
    with report.open("w") as out:
        code = subprocess.call(
            [
                Path(sys.executable).with_name("schemathesis"),
                *("run", f"{root}schema/", "--header", f"Authorization: Token {token.key}"),
                *("--checks", "all", "--exclude-checks", EXCLUDED_CHECK, "--phases", PHASES),
                *("--seed", SEED, "--max-examples", EXAMPLES, "--continue-on-failure", "--no-shrink", "--no-color"),
                *("--generation-database", "none", "--request-timeout", "10"),
            ],
            cwd=folder,
            stdout=out,
            stderr=subprocess.STDOUT,
            timeout=4 * 3600,
        )
    text = report.read_text()
    assert code == 0, text[-10_000:]
    [generated] = _TEST_CASES.findall(text)
    return int(generated.replace(",", ""))
