"""The guards of figures and of advice, and the tests that fail without them."""

from tests.mutants.mutant import Mutant

COLUMN_RANGES = "tests/integration/test_column_ranges.py"
RECORDS_PROCESSED = "tests/cases/test_records_processed.py"

FIGURES = [
    Mutant(
        name="figures: a range has the order of the column's own type",
        file="seeder/postgres/column_statistics.py",
        old="bounds = _min_and_max(column) if column.has_minimum else _first_and_last(column)",
        new="bounds = _min_and_max(column)",
        tests=(COLUMN_RANGES,),
    ),
    Mutant(
        name="figures: real is not printed as double precision",
        file="seeder/postgres/column_statistics.py",
        old="({value} + '0')::text",
        new="({value} + 0)::text",
        tests=(COLUMN_RANGES,),
    ),
    Mutant(
        name="figures: a snapshot from before a view was created again is not used",
        file="seeder/postgres/shared_snapshot.py",
        old='if sessions.query(database, STATEMENTS["replaced_view"], asdict(view)):',
        new="if False:",
        tests=("tests/faults/test_replaced_views.py",),
    ),
    Mutant(
        name="figures: the rows of a concurrent refresh are counted",
        file="seeder/postgres/row_counts.py",
        old="return mode is RefreshMode.CONCURRENT or self.inserted is None",
        new="return self.inserted is None",
        tests=(RECORDS_PROCESSED,),
    ),
]

RECREATION = "tests/cases/test_pasted_recreation.py"
REFUSED_QUERIES = "tests/cases/test_refused_queries.py"

DIAGNOSIS = [
    Mutant(
        name="diagnosis: a view is recreated as its owner",
        file="seeder/postgres/recreate_statements.sql",
        old="format('SET LOCAL ROLE %%s', owner)",
        new="'SET LOCAL ROLE NONE'",
        tests=(RECREATION,),
    ),
    Mutant(
        name="diagnosis: default privileges are revoked from a recreated view",
        file="seeder/postgres/recreate_statements.sql",
        old="'REVOKE ALL ON %%s FROM %%s'",
        new="'REVOKE TRIGGER ON %%s FROM %%s'",
        tests=(RECREATION,),
    ),
    Mutant(
        name="diagnosis: column grants of a recreated view are kept",
        file="seeder/postgres/recreate_statements.sql",
        old="CROSS JOIN aclexplode(c.attacl) WITH ORDINALITY AS a",
        new="CROSS JOIN aclexplode(c.attacl) WITH ORDINALITY AS a WHERE false",
        tests=(RECREATION,),
    ),
    Mutant(
        name="diagnosis: query errors have any SQLSTATE",
        file="seeder/postgres/sqlstates.py",
        old="return not is_unrelated and state != INSUFFICIENT_PRIVILEGE",
        new='return not is_unrelated and state != INSUFFICIENT_PRIVILEGE and state.startswith("42")',
        tests=(REFUSED_QUERIES,),
    ),
    Mutant(
        name="diagnosis: a refusal of any view is not the query's error",
        file="seeder/postgres/creation_refusals.py",
        old="    if control:",
        new="    if False:",
        tests=(REFUSED_QUERIES,),
    ),
    Mutant(
        name="diagnosis: a restricted operation is not a missing grant",
        file="seeder/postgres/refusal_facts.py",
        old="lacks_privilege=is_missing_privilege(error)",
        new="lacks_privilege=True",
        tests=("tests/cases/test_refusal_advice.py",),
    ),
]

FIGURES_AND_ADVICE = [*FIGURES, *DIAGNOSIS]
