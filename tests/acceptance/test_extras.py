"""The wheel with each extra: what an installation has that contains only the required distributions."""

import os
import subprocess
import sys
from importlib.metadata import distribution, distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.acceptance import host_projects
from tests.conftest import CompletedCommand

pytestmark = pytest.mark.slow

# Uses what an extra installs, without a network.
FEATURES = {
    "queue": "import croniter, django_q",
    "api": "import drf_spectacular, drf_spectacular_sidecar, rest_framework",
    "metrics": "import prometheus_client",
    "psycopg-binary": "import psycopg; assert psycopg.pq.__impl__ == 'binary'",
    "db": "import psycopg; assert psycopg.pq.__impl__ == 'binary'",
    "xlsx": "import python_calamine",
    "s3": "from data_pipeline import conf\n"
    "from data_pipeline.storage.object_store import ObjectStore\n"
    "ObjectStore(conf.load_in_use())",
    "http": "from data_pipeline import HTTPClient; HTTPClient('anything').close()",
    "zstd": "from data_pipeline.storage.zstd import zstd; zstd.ZstdDecompressor()",
    "yaml": "from seeder.services.data_checks.yaml_files import load_yaml; load_yaml('a: 1')",
    "completion": "import argcomplete",
    "apprise": "import apprise; assert apprise.Apprise().add('json://127.0.0.1/')",
    "redis": "import django.core.cache.backends.redis, redis",
}
PROVIDED = (
    "apprise argcomplete botocore croniter django_q drf_spectacular httpx2 prometheus_client psycopg_binary"
    " python_calamine redis rest_framework yaml"
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the wheel without its requirements."""
    folder = tmp_path_factory.mktemp("wheel")
    host_projects.install_wheel(host_projects.build_wheel(folder), folder / "site")
    return folder / "site"


def link_requirements(site: Path, extra: str, folder: Path) -> None:
    """Link the installed distributions that the wheel requires with an extra, and those that they require."""
    [own] = distributions(name="reporting-seeder", path=[os.fspath(site)])
    waiting, known = [(own, extra)], set[tuple[str, str]]()
    while waiting:
        found, extra_of_found = waiting.pop()
        for requirement in map(Requirement, found.requires or ()):
            if requirement.marker is None or requirement.marker.evaluate({"extra": extra_of_found}):
                new = {(requirement.name, one) for one in ("", *requirement.extras)} - known
                known |= new
                waiting += [(distribution(name), one) for name, one in new]
    for distributed in map(distribution, {name for name, _ in known}):
        for top in {file.parts[0] for file in distributed.files or ()} - {".."}:
            if not (folder / top).exists():
                (folder / top).symlink_to(Path(str(distributed.locate_file(top))).resolve())


def run(site: Path, folder: Path, code: str) -> CompletedCommand:
    """Run Python with nothing but the standard library, the wheel and what it requires."""
    start = f"import sys; sys.path[:0] = {[os.fspath(site), os.fspath(folder)]!r}; sys.argv = ['-']\n"
    ended = subprocess.run(
        [sys.executable, "-I", "-S", "-c", start + code],
        cwd=folder,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
    )
    return CompletedCommand(exit_code=ended.returncode, out=ended.stdout, err=ended.stderr)


def job(*arguments: str) -> str:
    return f"from data_pipeline.cli.main import main; sys.exit(main({list(arguments)!r}))"


@pytest.mark.parametrize("extra", FEATURES)
def test_extra_suffices_for_its_feature(extra: str, site: Path, tmp_path: Path) -> None:
    link_requirements(site, extra, tmp_path)
    ended = run(site, tmp_path, FEATURES[extra])
    assert (ended.exit_code, ended.out) == (0, ""), ended.err


def test_installation_without_extras_lists_jobs_and_names_the_missing_extra(site: Path, tmp_path: Path) -> None:
    link_requirements(site, "", tmp_path)
    code = f"from importlib.util import find_spec; print([one for one in {PROVIDED.split()} if find_spec(one)])"
    assert run(site, tmp_path, code).out == "[]\n"
    listed = run(site, tmp_path, job("list"))
    assert (listed.exit_code, "get_s3_files" in listed.out) == (0, True), listed.err
    assert run(site, tmp_path, job("run", "get_s3_files", "--", "--help")).exit_code == 0
    ended = run(site, tmp_path, job("--agency-id", "10", "--source-bucket", "bronze", "--destination-bucket", "silver"))
    advice = "data-pipeline: Object storage needs botocore: pip install 'reporting-seeder[s3]'\n"
    assert (ended.exit_code, ended.err) == (2, advice)
