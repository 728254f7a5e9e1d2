"""Break each guard of `guards.py` in a copy of the checkout and expect its tests to fail: `make mutants`.

Arguments are parts of names: only the guards with one of them are tried. The exit code is 1 if a mutant survived, or if
its tests could not be run.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.mutants.guards import GUARDS, Mutant

CHECKOUT = Path(__file__).resolve().parent.parent.parent
_NOT_COPIED = shutil.ignore_patterns(".*", "var", "dist", "__pycache__")
_PASSED, _FAILED = 0, 1  # exit codes of pytest


def main(wanted: list[str]) -> int:
    chosen = [one for one in GUARDS if not wanted or any(word in one.name for word in wanted)]
    wrong = 0
    with tempfile.TemporaryDirectory(dir=_var()) as folder:
        copy = Path(folder)
        shutil.copytree(CHECKOUT, copy, ignore=_NOT_COPIED, dirs_exist_ok=True)
        tests = sorted({test for one in chosen for test in one.tests})
        if (code := _run(copy, tests)) != _PASSED:
            _say(f"without a mutant the tests do not pass: pytest ended with {code}")
            return 1
        for one in chosen:
            verdict = _try(one, copy)
            wrong += verdict != "caught"
            _say(f"{verdict:10} {one.name}")
        _stop(copy)
    _say(f"{len(chosen) - wrong} of {len(chosen)} mutants caught")
    return int(wrong > 0)


def _try(one: Mutant, copy: Path) -> str:
    path = copy / one.file
    text = path.read_text(encoding="utf-8")
    if text.count(one.old) != 1:
        return "outdated"
    path.write_text(text.replace(one.old, one.new), encoding="utf-8")
    try:
        code = _run(copy, one.tests)
    finally:
        path.write_text(text, encoding="utf-8")
    return {_PASSED: "SURVIVED", _FAILED: "caught"}.get(code, f"error {code}")


def _run(copy: Path, tests: "list[str] | tuple[str, ...]") -> int:
    """The exit code of pytest. A test that hangs on a mutant has failed."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests]
    try:
        ended = subprocess.run(command, cwd=copy, capture_output=True, text=True, timeout=300, check=False)
    except subprocess.TimeoutExpired:
        return _FAILED
    (CHECKOUT / "var" / "mutants.log").write_text(ended.stdout[-20_000:] + ended.stderr[-2_000:])
    return ended.returncode


def _stop(copy: Path) -> None:
    command = [sys.executable, "manage.py", "embedded_db", "stop", "--settings", "settings.test"]
    subprocess.run(command, cwd=copy, capture_output=True, check=False)


def _var() -> Path:
    folder = CHECKOUT / "var"
    folder.mkdir(exist_ok=True)
    return folder


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
