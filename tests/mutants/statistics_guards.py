"""The guards of statistics."""

from tests.mutants.mutant import Mutant

CATALOG = "data_pipeline/postgres/statistics.sql"
READING = "data_pipeline/services/stats/snapshot_reading.py"
CACHE = "tests/integration/data_pipeline/test_statistics_cache.py"
FILTERS = "tests/integration/data_pipeline/test_statistics.py"

STATISTICS = [
    Mutant(
        name="statistics: rows of a replaced file are not those of the snapshot",
        file=CATALOG,
        old="nullif(c.relfilenode, 0) IS NOT DISTINCT FROM pg_relation_filenode(c.oid)",
        new="true",
        tests=(CACHE,),
    ),
    Mutant(
        name="statistics: each refresh changes the key of cached rows",
        file=CATALOG,
        old="format('%%s %%s', c.oid, c.xmin)",
        new="c.oid::text",
        tests=(CACHE,),
    ),
    Mutant(
        name="statistics: cached rows are of the version in the snapshot",
        file=READING,
        old="if _find(source) != relation:",
        new="if _find(source).oid != relation.oid:",
        tests=(CACHE,),
    ),
    Mutant(
        name="statistics: rows of tables and plain views are not cached",
        file=READING,
        old="if rows_cache is None or not relation.is_materialized:",
        new="if rows_cache is None:",
        tests=(CACHE,),
    ),
    Mutant(
        name="statistics: values are cast to a type without a modifier",
        file=CATALOG,
        old="format_type(t.oid, -1)",
        new="format_type(a.atttypid, a.atttypmod)",
        tests=(FILTERS,),
    ),
    Mutant(
        name="statistics: a filter by other agencies finds nothing",
        file="data_pipeline/services/stats/reading.py",
        old="[one for one in wanted if one in visible]",
        new="list(wanted)",
        tests=(FILTERS,),
    ),
    Mutant(
        name="statistics: words for times are refused",
        file="data_pipeline/domain/stats_queries.py",
        old="if column.is_time and not",
        new="if False and not",
        tests=("tests/unit/data_pipeline/domain/test_stats_queries.py",),
    ),
    Mutant(
        name="statistics: a page of another version is refused",
        file="data_pipeline/services/stats/reading.py",
        old="if request.version not in {None, _page_version(relation)}:",
        new="if False:",
        tests=(FILTERS,),
    ),
]
