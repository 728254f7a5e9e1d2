"""The guards of loads."""

from tests.mutants.mutant import Mutant

PROCESS_ONCE, LOAD_LOG, LOAD_FILE = (
    "data_pipeline/services/process_once.py",
    "data_pipeline/postgres/load_log.sql",
    "data_pipeline/services/file_loader.py",
)
GUARD_LOGIC = "tests/integration/data_pipeline/test_guard_logic.py"
GUARD_FAULTS = "tests/integration/data_pipeline/test_guard_faults.py"
LOST_COMMITS = "tests/integration/data_pipeline/test_lost_load_commits.py"
RACES = "tests/integration/data_pipeline/test_load_races.py"
OBJECT_FAULTS = "tests/integration/data_pipeline/storage/test_object_faults.py"
CHANGED_FILES = "tests/integration/data_pipeline/test_changed_files.py"
KEPT_REJECTS = "tests/integration/data_pipeline/test_kept_rejects.py"
KILLED_LOADS = "tests/acceptance/data_pipeline/test_killed_loads.py"

AFFECTED_VIEWS = "tests/integration/test_affected_views.py"

LOADS = [
    Mutant(
        name="load: a view without manifest ends the path to dependent views",
        file="seeder/postgres/affected_views.py",
        old="readers[relation] & views.keys()",
        new="readers[relation]",
        tests=(AFFECTED_VIEWS,),
    ),
    Mutant(
        name="load: what an index of a view reads leads to the view",
        file="seeder/postgres/affected_views.sql",
        old="d.classid = 'pg_class'::regclass AND i.indexrelid = d.objid",
        new="false",
        tests=(AFFECTED_VIEWS,),
    ),
    Mutant(
        name="load: only functions that PostgreSQL cannot parse leave a view undetermined",
        file="seeder/postgres/affected_views.sql",
        old="p.prosqlbody IS NULL AND ",
        new="",
        tests=(AFFECTED_VIEWS,),
    ),
    Mutant(
        name="load: the lock is released after an error",
        file=PROCESS_ONCE,
        old="            load_log.release(database, key)\n",
        new="            pass\n",
        tests=(GUARD_FAULTS,),
    ),
    Mutant(
        name="load: a session whose lock cannot be released ends",
        file=PROCESS_ONCE,
        old="connections[database].close()  # the server",
        new="pass  # the server",
        tests=(GUARD_FAULTS,),
    ),
    Mutant(
        name="load: a silent rollback is no success",
        file=PROCESS_ONCE,
        old="        handle.connection.validate_no_broken_transaction()\n",
        new="",
        tests=(GUARD_FAULTS,),
    ),
    Mutant(
        name="load: a commit without an answer is looked up",
        file=PROCESS_ONCE,
        old="if not (self._has_completed and",
        new="if not (False and",
        tests=(LOST_COMMITS,),
    ),
    Mutant(
        name="load: the look-up waits for the commit",
        file=LOAD_LOG,
        old="WHERE id = %(load_id)s FOR UPDATE;",
        new="WHERE id = %(load_id)s;",
        tests=(LOST_COMMITS,),
    ),
    Mutant(
        name="load: a failure is written even if nothing else can be kept",
        file=PROCESS_ONCE,
        old="for keep in (self._handle.after_failure, keep_nothing):",
        new="for keep in (self._handle.after_failure,):",
        tests=(GUARD_FAULTS,),
    ),
    Mutant(
        name="load: an attempt that was taken over keeps nothing",
        file=PROCESS_ONCE,
        old="            if load_log.fail(database, self._claimed, error, counts=counts, **self._columns()):\n",
        new="            if load_log.fail(database, self._claimed, error, counts=counts, **self._columns()) or True:\n",
        tests=(GUARD_FAULTS,),
    ),
    Mutant(
        name="load: an attempt that was taken over does not fail the next",
        file=LOAD_LOG,
        old="AND attempts = %(attempts)s\n    RETURNING id, source\n), audited AS (\n    INSERT INTO load_event"
        " (load_id, event, actor, facts)\n    SELECT\n        id, 'failed'",
        new="\n    RETURNING id, source\n), audited AS (\n    INSERT INTO load_event"
        " (load_id, event, actor, facts)\n    SELECT\n        id, 'failed'",
        tests=(GUARD_FAULTS,),
    ),
    Mutant(
        name="load: an attempt that was taken over does not succeed",
        file=LOAD_LOG,
        old="AND attempts = %(attempts)s\n    RETURNING id, source\n), audited AS (\n    INSERT INTO load_event"
        " (load_id, event, actor, facts)\n    SELECT\n        id, 'loaded'",
        new="\n    RETURNING id, source\n), audited AS (\n    INSERT INTO load_event"
        " (load_id, event, actor, facts)\n    SELECT\n        id, 'loaded'",
        tests=(GUARD_LOGIC,),
    ),
    Mutant(
        name="load: only a stuck load is interrupted",
        file=LOAD_LOG,
        old="        AND pg_try_advisory_xact_lock(",
        new="        AND NULL IS DISTINCT FROM pg_try_advisory_xact_lock(",
        tests=(GUARD_FAULTS,),
    ),
    Mutant(
        name="load: a live load is not stuck",
        file=LOAD_LOG,
        old="WHERE l.status = 'pending' AND NOT EXISTS (",
        new="WHERE l.status = 'pending' OR NOT EXISTS (",
        tests=(GUARD_FAULTS,),
    ),
    Mutant(
        name="load: the claim reads what was committed while it waited",
        file="data_pipeline/postgres/load_log.py",
        old='STATEMENTS["read_committed"], STATEMENTS["claim_load"]',
        new='"SELECT 1;", STATEMENTS["claim_load"]',
        tests=(GUARD_FAULTS,),
    ),
    Mutant(
        name="load: a duplicate needs no lock",
        file=LOAD_LOG,
        old="    WHERE is_acquired OR EXISTS (\n",
        new="    WHERE is_acquired OR NOT EXISTS (SELECT) AND EXISTS (\n",
        tests=(GUARD_FAULTS,),
    ),
    Mutant(
        name="load: a duplicate releases its lock",
        file=LOAD_LOG,
        old="        WHEN is_acquired THEN pg_advisory_unlock(hashtextextended(%(lock_key)s::text, 0))::text\n",
        new="",
        tests=(GUARD_FAULTS,),
    ),
    Mutant(
        name="load: the success releases the lock",
        file=LOAD_LOG,
        old="    id, pg_advisory_unlock(hashtextextended(%(lock_key)s::text, 0)),\n",
        new="    id, true,\n",
        tests=(GUARD_FAULTS,),
    ),
    Mutant(
        name="load: the id of the load is forgotten after a failed commit",
        file=LOAD_LOG,
        old="SELECT set_config('data_pipeline.load_id', '', false);",
        new="SELECT true;",
        tests=(GUARD_FAULTS,),
    ),
    Mutant(
        name="load: rejects are kept with the failure",
        file=LOAD_FILE,
        old="handle.after_failure = partial(self._keep_rejects, handle.load_id)",
        new="pass",
        tests=(KEPT_REJECTS,),
    ),
    Mutant(
        name="load: a deadlock is attempted again",
        file=LOAD_FILE,
        old="            if not is_deadlock(error):\n                raise\n",
        new="            raise\n",
        tests=(RACES,),
    ),
    Mutant(
        name="load: a merge keeps other writers out",
        file="data_pipeline/postgres/merging.py",
        old="        lock_against_writers(database, facts.target.identifier)\n",
        new="        pass\n",
        tests=(RACES,),
    ),
    Mutant(
        name="load: a file is read in the version of its key",
        file="data_pipeline/storage/hashed_file.py",
        old="if address.version is not None and address.version != self._version:",
        new="if False:",
        tests=(CHANGED_FILES,),
    ),
    Mutant(
        name="load: a file that changes meanwhile is refused",
        file="data_pipeline/storage/hashed_source.py",
        old="            self._require_unchanged()\n",
        new="",
        tests=(CHANGED_FILES,),
    ),
    Mutant(
        name="load: an object is read in the version of its key",
        file="data_pipeline/storage/object_addresses.py",
        old=", etag=self.version.etag)",
        new=")",
        tests=("tests/integration/data_pipeline/storage/test_object_loads.py",),
    ),
    Mutant(
        name="load: an object is continued in its version",
        file="data_pipeline/storage/object_streams.py",
        old="self._open_at(self.position, self.version.etag)",
        new="self._open_at(self.position, None)",
        tests=(OBJECT_FAULTS,),
    ),
    Mutant(
        name="load: a failed write deletes its parts",
        file="data_pipeline/storage/object_store.py",
        old="            writer.abort()\n",
        new="",
        tests=(OBJECT_FAULTS,),
    ),
    Mutant(
        name="load: a conditional write whose answer was lost is not repeated",
        file="data_pipeline/storage/store_failures.py",
        old="return is_uncertain and not is_conditional_write",
        new="return is_uncertain",
        tests=(OBJECT_FAULTS,),
    ),
    Mutant(
        name="load: the statement of a killed load ends",
        file="data_pipeline/postgres/target_tables.sql",
        old="set_config('client_connection_check_interval', '2s', true)",
        new="''",
        tests=(KILLED_LOADS,),
    ),
    Mutant(
        name="load: another attempt is not dismissed",
        file="data_pipeline/postgres/load_log.sql",
        old=", dismissed_at = NULL,",
        new=",",
        tests=("tests/acceptance/data_pipeline/test_load_status.py",),
    ),
    Mutant(
        name="request: an undo of a killed worker is not refused",
        file="data_pipeline/services/request_execution.py",
        old="if undone_at is None or undone_at < claimed.created_at:",
        new="if True:",
        tests=("tests/integration/data_pipeline/test_queued_actions.py",),
    ),
    Mutant(
        name="rescue: a database that does not answer stops no rescue",
        file="data_pipeline/services/load_databases.py",
        old="    except Error:\n        return False\n",
        new="    except Error:\n        raise\n",
        tests=("tests/integration/data_pipeline/test_loads_of_databases.py",),
    ),
    Mutant(
        name="pipeline: an older snapshot is refused",
        file="data_pipeline/pipelines/logistics_etl.py",
        old="            _require_newest(snapshot, using=using)\n",
        new="            pass\n",
        tests=("tests/integration/data_pipeline/pipelines/test_logistics_etl.py",),
    ),
]
