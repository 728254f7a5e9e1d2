"""Jobs only parse arguments and call services, and importing them has no effect."""

import ast
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.architecture.markdown import page_text
from tests.conftest import CHECKOUT

APPS = ("data_pipeline", "data_pipeline/pipelines")
JOBS = sorted(path for app in APPS for path in (CHECKOUT / app / "jobs").glob("*.py"))
HEAVY = {"django", "psycopg", "boto3", "botocore", "polars", "pandas", "python_calamine", "httpx2", "rich", "django_q"}

# A socket or a read setting ends the process; the loaded packages are printed.
_IMPORT_JOBS = """
import json, os, sys

def refuse(event, arguments):
    if event.startswith(("socket.", "subprocess.", "os.system", "os.exec", "os.putenv")):
        raise RuntimeError(event)

class NoEnvironment(dict):
    def refuse(self, name, default=None):
        if name.startswith(("DATA_PIPELINE", "INGEST_", "S3_", "HTTP_", "DB_", "DJANGO_")):
            raise RuntimeError(name)
        return default
    get = __getitem__ = refuse

sys.addaudithook(refuse)
os.environ = NoEnvironment()
for module in sys.argv[1:]:
    __import__(module)
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
"""


def imported_modules(path: Path) -> Iterator[str]:
    """Yield the module of each import of a file, also those inside functions."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or "."


def test_jobs_import_only_services() -> None:
    own = [(path.name, name) for path in JOBS for name in imported_modules(path) if not is_standard(name)]
    assert ("_my_job.py", "data_pipeline.services.handler") in own
    assert [f"{file}: {name}" for file, name in own if not name.startswith("data_pipeline.services.")] == []


def is_standard(module: str) -> bool:
    return module.partition(".")[0] in sys.stdlib_module_names


def test_importing_jobs_opens_no_socket_and_reads_no_setting() -> None:
    names = [".".join(path.relative_to(CHECKOUT).with_suffix("").parts) for path in JOBS if path.stem != "__init__"]
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": os.fspath(CHECKOUT)}
    ended = subprocess.run(
        [sys.executable, "-c", _IMPORT_JOBS, *names], env=environment, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
    loaded = set(json.loads(ended.stdout))
    assert "data_pipeline" in loaded
    assert loaded & HEAVY == set()


def test_every_point_of_the_checklists_has_a_test() -> None:
    checklists = [page_text(f"how-to/add-a-{page}.md").partition("## Checklist")[2] for page in ("job", "connector")]
    sources = "".join(path.read_text(encoding="utf-8") for path in (CHECKOUT / "tests").rglob("test_*.py"))
    points = [point for checklist in checklists for point in checklist.split("- [ ]")[1:]]
    assert len(points) == 20
    for point in points:
        named = re.findall(r"`(tests/[\w/]+\.py|test_\w+)`", point)
        assert named, point
        for name in named:
            assert (CHECKOUT / name).exists() or f"def {name}(" in sources, name
