"""Virtual environments for the compared tools, separate from the project's own."""

import subprocess
import sys
from functools import cache
from hashlib import sha256
from importlib.metadata import Distribution, distributions
from pathlib import Path

from bench.options import CHECKOUT

_HERE = Path(__file__).parent
_ENVIRONMENTS = _HERE / ".envs"


def program(environment: str, name: str) -> Path:
    """Return the path of a program, whose environment is installed if necessary."""
    return install(environment) / "bin" / name


@cache
def install(environment: str) -> Path:
    """Install the pinned requirements into an environment with the project's Python. Return its folder."""
    requirements = _HERE / "requirements" / f"{environment}.txt"
    folder = _ENVIRONMENTS / environment
    stamp = folder / "stamp"
    summary = f"{folder} {sys.version} {sha256(requirements.read_bytes()).hexdigest()}"
    if not stamp.exists() or stamp.read_text() != summary:
        print(f"Installing {requirements.relative_to(CHECKOUT)}", flush=True)
        _run(sys.executable, "-m", "venv", "--clear", str(folder))
        pip = (str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
        _run(*pip, "--requirement", str(requirements))
        stamp.write_text(summary)
    return folder


def versions(environment: str) -> dict[str, str]:
    """Return the version of each package in an environment."""
    [packages] = install(environment).glob("lib/python*/site-packages")
    found: list[Distribution] = list(distributions(path=[str(packages)]))
    return {package.metadata["Name"].lower(): package.version for package in found}


def _run(*command: str) -> None:
    result = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  # pip and venv
    if result.returncode != 0:
        raise SystemExit(f"bench: {' '.join(command)} failed:\n{(result.stderr or result.stdout)[-2000:]}")
