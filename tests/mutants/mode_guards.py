"""The guards of refresh modes and VACUUM, and the tests that fail without them."""

from tests.mutants.mutant import Mutant

MODES = [
    Mutant(
        name="vacuum: a stop cancels it",
        file="seeder/services/run/vacuuming.py",
        old="self._statements.cancel_all()",
        new="pass",
        tests=("tests/integration/test_vacuuming.py",),
    ),
    Mutant(
        name="vacuum: a plain refresh needs none",
        file="seeder/domain/dead_rows.py",
        old="result.mode is not RefreshMode.CONCURRENT",
        new="False",
        tests=("tests/unit/domain/test_dead_rows.py", "tests/integration/test_vacuuming.py"),
    ),
]
