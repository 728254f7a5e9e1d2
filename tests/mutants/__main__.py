"""Break guards and expect tests to fail: `make mutants`.

Each guard of `guards.py` is broken in a copy of the checkout. Arguments are parts of names and select guards. The exit
code is 1 if a mutant survived, or if its tests could not run. Tests that hang have noticed the mutant, unless the
machine is too busy.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.mutants.guards import GUARDS
from tests.mutants.mutant import Mutant

CHECKOUT = Path(__file__).resolve().parent.parent.parent
_NOT_COPIED = shutil.ignore_patterns(".*", "var", "dist", "__pycache__")
_PASSED, _FAILED, _HUNG = 0, 1, -1  # exit codes of pytest, and no end within the limit
_MAX_SECONDS = 300  # seconds for the tests of a mutant, which take one minute at most


def main(name_parts: list[str]) -> int:
    chosen = [mutant for mutant in GUARDS if not name_parts or any(word in mutant.name for word in name_parts)]
    survived = 0
    with tempfile.TemporaryDirectory(dir=_var()) as folder:
        copy = Path(folder)
        shutil.copytree(CHECKOUT, copy, ignore=_NOT_COPIED, dirs_exist_ok=True)
        tests = sorted({test for mutant in chosen for test in mutant.tests})
        if (code := _run(copy, tests, max_seconds=None)) != _PASSED:
            _print(f"without a mutant the tests do not pass: pytest ended with {code}")
            return 1
        for mutant in chosen:
            verdict = _try(mutant, copy)
            survived += verdict not in {"caught", "hung"}
            _print(f"{verdict:10} {mutant.name}")
        _stop(copy)
    _print(f"{len(chosen) - survived} of {len(chosen)} mutants caught")
    return int(survived > 0)


def _try(mutant: Mutant, copy: Path) -> str:
    path = copy / mutant.file
    text = path.read_text(encoding="utf-8")
    if text.count(mutant.old) != 1:
        return "outdated"
    path.write_text(text.replace(mutant.old, mutant.new), encoding="utf-8")
    try:
        code = _run(copy, mutant.tests, max_seconds=_MAX_SECONDS)
    finally:
        path.write_text(text, encoding="utf-8")
    return {_PASSED: "SURVIVED", _FAILED: "caught", _HUNG: "hung"}.get(code, f"error {code}")


def _run(copy: Path, tests: "list[str] | tuple[str, ...]", *, max_seconds: float | None) -> int:
    """Return the exit code of pytest."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests]
    try:
        result = subprocess.run(command, cwd=copy, capture_output=True, text=True, timeout=max_seconds, check=False)
    except subprocess.TimeoutExpired:
        return _HUNG
    (CHECKOUT / "var" / "mutants.log").write_text(result.stdout[-20_000:] + result.stderr[-2_000:])
    return result.returncode


def _stop(copy: Path) -> None:
    for server in ("embedded_db", "embedded_s3"):
        command = [sys.executable, "manage.py", server, "stop", "--settings", "settings.test"]
        subprocess.run(command, cwd=copy, capture_output=True, check=False)


def _var() -> Path:
    folder = CHECKOUT / "var"
    folder.mkdir(exist_ok=True)
    return folder


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
