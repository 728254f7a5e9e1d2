"""A Redis server on a free port. A test that needs it is skipped if it or its client is not installed."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.polling import eventually
from tests.ports import free_port, is_listening

PROGRAM = shutil.which("redis-server")


@contextmanager
def redis_server(*, port: int | None = None) -> Iterator[str]:
    """Run Redis without files. Yield its URL."""
    if PROGRAM is None:
        pytest.skip("redis-server is not installed: apt-get install redis-server")
    if find_spec("redis") is None:
        pytest.skip("redis is not installed: pip install 'reporting-seeder[redis]'")
    port = port or free_port()
    with tempfile.TemporaryDirectory() as name:
        log = Path(name) / "log"
        options = ["--bind", "127.0.0.1", "--port", str(port), "--save", "", "--appendonly", "no", "--dir", name]
        with log.open("w") as output:
            process = subprocess.Popen([PROGRAM, *options], stdout=output, stderr=output)
        try:
            eventually(lambda: is_listening(port), describe_failure=log.read_text)
            yield f"redis://127.0.0.1:{port}/0"
        finally:
            process.terminate()
            process.wait(10)
