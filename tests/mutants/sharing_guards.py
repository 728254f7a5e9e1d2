"""The guards of shared transactions, and the tests that fail without them."""

from tests.mutants.mutant import Mutant

_SQL = "seeder/postgres/shared_refresh.sql"
_TESTS = ("tests/integration/test_shared_refresh.py",)

SHARING = [
    Mutant(
        name="sharing: a run whose rows were closed publishes nothing",
        file=_SQL,
        old="(SELECT count(*) FROM closed) = cardinality(%(history_ids)s::bigint[])",
        new="((SELECT count(*) FROM closed) >= 0)",
        tests=_TESTS,
    ),
    Mutant(
        name="sharing: a refresh of another run is reused",
        file=_SQL,
        old="h.start_time > one.after AND",
        new="h.start_time > one.after AND false AND",
        tests=_TESTS,
    ),
    Mutant(
        name="sharing: no statement waits for a lock while others are held",
        file="seeder/postgres/shared_refresh.py",
        old="LOCK_TIMEOUT_MS = 50",
        new="LOCK_TIMEOUT_MS = 8000",
        tests=_TESTS,
    ),
    Mutant(
        name="sharing: inputs are locked before the snapshot of a refresh",
        file=_SQL,
        old="EXECUTE format('LOCK TABLE %%s IN ACCESS SHARE MODE', array_to_string(inputs, ', '));",
        new="NULL;",
        tests=_TESTS,
    ),
    Mutant(
        name="sharing: rows are counted only by a server that counts",
        file=_SQL,
        old="1 / bool_and(current_setting('track_counts')::boolean)::integer",
        new="1",
        tests=_TESTS,
    ),
    Mutant(
        name="sharing: a lost commit of this run is found",
        file="seeder/services/run/view_refresh.py",
        old="after=after, with_own=True",
        new="after=after",
        tests=_TESTS,
    ),
    Mutant(
        name="sharing: views that could not share are started alone",
        file="seeder/services/run/database_scheduler.py",
        old="self._shareable -= self._starts[view].keys() if",
        new="self._shareable -= set() if",
        tests=("tests/unit/services/test_shared_starts.py",),
    ),
]
