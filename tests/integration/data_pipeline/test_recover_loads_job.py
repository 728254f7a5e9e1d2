"""The job `recover_loads` on a real database, with a load whose process was killed."""

import json
import signal
import subprocess
import sys

import pytest

from data_pipeline import compute_idempotency_key, process_once
from data_pipeline.cli.main import main
from data_pipeline.jobs import recover_loads
from data_pipeline.models import LoadEvent, LoadLog
from tests.conftest import CHECKOUT, process_environment
from tests.polling import eventually

pytestmark = pytest.mark.usefixtures("load_tables")
KEY = compute_idempotency_key(payload=b"one")

_LOAD = """
import sys
import django
django.setup()
from data_pipeline import process_once
with process_once(source="test", payload_meta={}, idempotency_key=sys.argv[1]):
    print("loading", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def killed_load() -> int:
    """The id of a load whose process was killed with SIGKILL."""
    process = subprocess.Popen(
        [sys.executable, "-c", _LOAD, KEY],
        cwd=CHECKOUT,
        env=process_environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout
        assert process.stdout.readline() == "loading\n"
        process.send_signal(signal.SIGKILL)
    return LoadLog.objects.get(status="pending").pk


def test_killed_load_is_marked_as_failed(killed_load: int, capsys: pytest.CaptureFixture[str]) -> None:
    def is_recovered() -> bool:
        """The server may not have noticed yet that the client is gone."""
        assert main(["run", "recover_loads"]) == 0
        return LoadLog.objects.get().status == "failed"

    eventually(is_recovered)
    assert f"load {killed_load}: marked as failed, because its process had ended\n" in capsys.readouterr().out
    assert LoadEvent.objects.latest("id").actor == "recover_loads"
    with process_once(source="test", payload_meta={}, idempotency_key=KEY) as handle:
        assert handle is not None
        assert handle.attempts == 2


def test_nothing_to_recover_is_reported(capsys: pytest.CaptureFixture[str]) -> None:
    assert recover_loads.entrypoint(["--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"recovered": [], "otherDatabases": {"archive": []}}
    assert recover_loads.entrypoint([]) == 0
    assert capsys.readouterr().out.startswith("Nothing to recover")
