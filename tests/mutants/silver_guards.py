"""The guards of transforms to silver, dead letters and partitioning."""

from tests.mutants.mutant import Mutant

PLANNING, SILVER_LOG, SILVER_OBJECTS = (
    "data_pipeline/services/silver/planning.py",
    "data_pipeline/services/silver_log.py",
    "data_pipeline/domain/silver_objects.py",
)
LETTERS, PARTITION_RUNS = (
    "data_pipeline/migrations/0009_dead_letters_of_loads.py",
    "data_pipeline/postgres/partition_runs.py",
)
REPEATED_RUNS = "tests/integration/data_pipeline/silver/test_repeated_runs.py"
RECORDED_TRANSFORMS = "tests/integration/data_pipeline/silver/test_recorded_transforms.py"
DEAD_LETTERS = "tests/integration/data_pipeline/test_dead_letters.py"
PARTITION_REFUSALS = "tests/integration/data_pipeline/test_partition_refusals.py"

SILVER = [
    Mutant(
        name="silver: a finished object is not read again",
        file=PLANNING,
        old="            if version_key(version.key, version.etag) in finished:\n",
        new="            if False:\n",
        tests=(REPEATED_RUNS,),
    ),
    Mutant(
        name="silver: a changed object is another artefact",
        file=SILVER_OBJECTS,
        old="""{_NOT_OF_VERSION.sub('_', etag.strip(chr(34)))}""",
        new="same",
        tests=(REPEATED_RUNS,),
    ),
    Mutant(
        name="silver: an object that was deleted is written again",
        file=SILVER_LOG,
        old="if written is None and self.read_written(source) is None:",
        new="if False:",
        tests=(RECORDED_TRANSFORMS,),
    ),
    Mutant(
        name="silver: the object of a killed process is recorded",
        file="data_pipeline/services/silver/job_run.py",
        old="            log.adopt(unsettled[version])\n",
        new="            pass\n",
        tests=(RECORDED_TRANSFORMS,),
    ),
    Mutant(
        name="silver: an object without a good record is not written",
        file="data_pipeline/services/silver/object_transform.py",
        old="        self._require_limit(transform)\n",
        new="",
        tests=(RECORDED_TRANSFORMS,),
    ),
    Mutant(
        name="silver: an unusable storage ends the run",
        file="data_pipeline/services/silver/running.py",
        old="        except StorageUnusable:\n            raise\n",
        new="",
        tests=(REPEATED_RUNS,),
    ),
    Mutant(
        name="silver: a queued object is not queued twice",
        file="data_pipeline/services/silver_requests.py",
        old="if source.uri in unfinished:",
        new="if False:",
        tests=(RECORDED_TRANSFORMS,),
    ),
    Mutant(
        name="silver: a failed object waits for its next try",
        file=PLANNING,
        old="elif waiting and",
        new="elif False and",
        tests=(RECORDED_TRANSFORMS,),
    ),
    Mutant(
        name="letter: an older load does not follow a later one of its table by itself",
        file=LETTERS,
        old="WHERE later.target = f.target\n",
        new="WHERE false\n",
        tests=(DEAD_LETTERS,),
    ),
    Mutant(
        name="letter: an older version of a file is not tried again by itself",
        file=LETTERS,
        old="AND newer.id > f.id",
        new="AND false",
        tests=(DEAD_LETTERS,),
    ),
    Mutant(
        name="letter: a due one does not follow a load that ended meanwhile",
        file="data_pipeline/services/dead_letters.py",
        old="only_due and _is_overtaken",
        new="False and _is_overtaken",
        tests=(DEAD_LETTERS,),
    ),
    Mutant(
        name="letter: the oldest is replayed first",
        file="data_pipeline/services/dead_letters.py",
        old="sorted(found, key=lambda one: one.load_id)",
        new="found",
        tests=(DEAD_LETTERS,),
    ),
    Mutant(
        name="letter: another attempt of a forced load is the same load",
        file="data_pipeline/services/load_replay.py",
        old="return datetime.fromisoformat(given) if given and not _is_done(load) else None",
        new="return None",
        tests=(DEAD_LETTERS,),
    ),
    Mutant(
        name="letter: its replay needs a permission",
        file="data_pipeline/admin/letter_admin.py",
        old="_REPLAY.is_queued and bool(request.user.has_perm(_REPLAY.permission))",
        new="_REPLAY.is_queued",
        tests=(DEAD_LETTERS,),
    ),
    Mutant(
        name="partition: the switch refuses",
        file="data_pipeline/services/partitioning.py",
        old="    if not settings.returns_partition_scaffold:\n",
        new="    if False:\n",
        tests=(PARTITION_REFUSALS,),
    ),
    Mutant(
        name="partition: writers are kept out before the copy",
        file="data_pipeline/services/partitioning.py",
        old="            partition_runs.lock(using, target.name, partitioning.lock_step(target))\n",
        new="",
        tests=(PARTITION_REFUSALS,),
    ),
    Mutant(
        name="partition: copied rows are compared",
        file=PARTITION_RUNS,
        old="    if not is_equal:\n",
        new="    if False:\n",
        tests=(PARTITION_REFUSALS,),
    ),
    Mutant(
        name="partition: a unique index without the column is refused",
        file="data_pipeline/postgres/partitioning.sql",
        old="WHERE target.key IS NOT NULL AND target.key <> ALL",
        new="WHERE false AND target.key <> ALL",
        tests=(PARTITION_REFUSALS,),
    ),
]
