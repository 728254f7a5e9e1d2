"""The guards of refresh modes and VACUUM, and the tests that fail without them."""

from tests.mutants.mutant import Mutant

MODES = [
    Mutant(
        name="vacuum: a stop cancels it",
        file="seeder/services/run/vacuuming.py",
        old="cancel=self._statements.cancel_all,",
        new="cancel=running,",
        tests=("tests/integration/test_vacuuming.py",),
    ),
    Mutant(
        name="vacuum: a plain refresh needs none",
        file="seeder/domain/dead_rows.py",
        old="result.mode is not RefreshMode.CONCURRENT",
        new="False",
        tests=("tests/unit/domain/test_dead_rows.py", "tests/integration/test_vacuuming.py"),
    ),
    Mutant(
        name="mode: a plain refresh waits for its lock within the budget",
        file="seeder/domain/refresh_mode.py",
        old="max_lock_wait=max(limits.budget - plain, _MIN_LOCK_WAIT) if may_give_up else None",
        new="max_lock_wait=None",
        tests=("tests/integration/test_mode_choice.py", "tests/unit/domain/test_refresh_mode.py"),
    ),
    Mutant(
        name="mode: the lock timeout of a plain refresh ends with it",
        file="seeder/services/run/create_or_refresh.py",
        old="query_in_savepoint(database, set_limits[0], refresh, set_limits[1])",
        new="query_in_savepoint(database, set_limits[0], refresh)",
        tests=("tests/integration/test_mode_choice.py",),
    ),
    Mutant(
        name="mode: a plain refresh in a window is expected to end in it",
        file="seeder/domain/refresh_mode.py",
        old="now + (plain or timedelta()) <= until",
        new="until",
        tests=("tests/unit/domain/test_refresh_mode.py",),
    ),
    Mutant(
        name="mode: the end of a window is right on clock changes",
        file="seeder/domain/maintenance_windows.py",
        old="    if end.astimezone(window.zone).utcoffset() == now.astimezone(window.zone).utcoffset():",
        new="    if True:",
        tests=("tests/unit/domain/test_maintenance_windows.py",),
    ),
]
