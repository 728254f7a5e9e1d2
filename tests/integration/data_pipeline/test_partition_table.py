"""`partition_table`: what a partitioned table keeps of the table that it replaces, and what is refused."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from data_pipeline.correction_errors import RowsChanged
from data_pipeline.services.load_file import load_file
from data_pipeline.services.undoing import undo_load
from tests.conftest import CompletedCommand, another_session, sql

pytestmark = pytest.mark.usefixtures("load_tables")
Manage = Callable[..., CompletedCommand]
TABLE = 'landing."Returns of ""A"""'
OLD = 'landing."Returns of ""A""_unpartitioned"'


@pytest.fixture
def partition(manage: Manage) -> Callable[..., CompletedCommand]:
    def run(*arguments: str, table: str = TABLE, by: str = "day", every: str = "month") -> CompletedCommand:
        options = ("--by", by, "--every", every, *arguments)
        return manage("partition_table", table, *options, RETURNS_PARTITION_SCAFFOLD="1")

    return run


@pytest.fixture
def role() -> Iterator[str]:
    name = "reader_of_returns"
    sql(f"DROP ROLE IF EXISTS {name}; CREATE ROLE {name}")
    yield name
    sql(f"DROP SCHEMA landing CASCADE; DROP OWNED BY {name}; DROP ROLE {name}; CREATE SCHEMA landing")


@pytest.fixture
def returns(load_tables: None, role: str) -> None:
    sql(f"""
        CREATE TABLE landing.vendor (id integer PRIMARY KEY);
        INSERT INTO landing.vendor VALUES (1), (2);
        CREATE TABLE {TABLE} (
            gone integer,
            id serial,
            n bigint GENERATED ALWAYS AS IDENTITY,
            "the day" date DEFAULT '2026-01-01',
            day date NOT NULL,
            vendor integer CONSTRAINT "by vendor" REFERENCES landing.vendor ON DELETE CASCADE DEFERRABLE,
            amount numeric(10, 2) CHECK (amount > 0) DEFAULT 1,
            twice numeric GENERATED ALWAYS AS (amount * 2) STORED,
            note text COLLATE "C",
            load_id bigint DEFAULT nullif(current_setting('data_pipeline.load_id', true), '')::bigint,
            PRIMARY KEY (id, day)
        ) WITH (fillfactor = 70, autovacuum_enabled = false);
        ALTER TABLE {TABLE} DROP COLUMN gone, ALTER COLUMN note SET STATISTICS 17;
        CREATE INDEX "a note" ON {TABLE} (lower(note) DESC NULLS LAST) INCLUDE (amount) WHERE note <> '100%';
        CREATE UNIQUE INDEX ON {TABLE} (day, note);
        CREATE INDEX ON {TABLE} (load_id) WHERE load_id IS NOT NULL;
        CREATE STATISTICS landing.of_day (ndistinct) ON day, vendor FROM {TABLE};
        CREATE FUNCTION landing.touch() RETURNS trigger LANGUAGE plpgsql AS
            'BEGIN NEW.note := upper(NEW.note); RETURN NEW; END';
        CREATE TRIGGER touch BEFORE INSERT ON {TABLE} FOR EACH ROW EXECUTE FUNCTION landing.touch();
        CREATE TRIGGER off AFTER UPDATE ON {TABLE} FOR EACH ROW EXECUTE FUNCTION landing.touch();
        ALTER TABLE {TABLE} DISABLE TRIGGER off;
        COMMENT ON TABLE {TABLE} IS 'It''s 100% of the returns';
        COMMENT ON COLUMN {TABLE}.day IS 'the day';
        COMMENT ON TRIGGER touch ON {TABLE} IS 'upper case';
        COMMENT ON CONSTRAINT "by vendor" ON {TABLE} IS 'vendor';
        COMMENT ON INDEX landing."a note" IS 'an index';
        GRANT SELECT, INSERT ON {TABLE} TO {role} WITH GRANT OPTION;
        GRANT UPDATE (note) ON {TABLE} TO {role};
        GRANT SELECT ON {TABLE} TO PUBLIC;
        CREATE VIEW landing.per_day WITH (security_barrier = true) AS
            SELECT day, sum(amount) AS total FROM {TABLE} GROUP BY day;
        CREATE VIEW landing.days AS SELECT day FROM landing.per_day;
        GRANT SELECT ON landing.per_day TO {role};
        INSERT INTO {TABLE} (day, vendor, note)
        SELECT date '2026-01-15' + 10 * n, 1 + n % 2, 'n' || n FROM generate_series(1, 40) AS n;
    """)


def description() -> list[tuple[object, ...]]:
    """Describe everything that the table must keep, without OIDs and without what makes it partitioned."""
    oid = f"'{TABLE}'::regclass"
    return sql(f"""
        SELECT 'column', a.attname, concat_ws(' ', format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity,
            a.attgenerated, a.attstattarget, a.attcollation, a.attacl, col_description({oid}, a.attnum),
            (SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef WHERE adrelid = {oid} AND adnum = a.attnum))
        FROM pg_attribute AS a WHERE a.attrelid = {oid} AND a.attnum > 0 AND NOT a.attisdropped
        UNION ALL
        SELECT 'constraint', conname, concat_ws(' ', pg_get_constraintdef(oid), obj_description(oid, 'pg_constraint'))
        FROM pg_constraint WHERE conrelid = {oid}
        UNION ALL
        SELECT 'index', indexrelid::regclass::text,
            concat_ws(' ', replace(pg_get_indexdef(indexrelid), ' ON ONLY ', ' ON '),
            obj_description(indexrelid, 'pg_class'))
        FROM pg_index WHERE indrelid = {oid}
        UNION ALL
        SELECT 'trigger', tgname, concat_ws(' ', pg_get_triggerdef(oid), tgenabled, obj_description(oid, 'pg_trigger'))
        FROM pg_trigger WHERE tgrelid = {oid} AND NOT tgisinternal
        UNION ALL
        SELECT 'statistics', stxname, pg_get_statisticsobjdef(oid) FROM pg_statistic_ext WHERE stxrelid = {oid}
        UNION ALL
        SELECT 'table',
            (SELECT string_agg(g::text, ' ' ORDER BY g::text) FROM unnest(relacl) AS g), obj_description(oid)
        FROM pg_class WHERE oid = {oid}
        UNION ALL
        SELECT 'view', relname, concat_ws(' ', pg_get_viewdef(oid), relacl, reloptions)
        FROM pg_class WHERE relkind = 'v' AND relnamespace = 'landing'::regnamespace
        UNION ALL
        SELECT 'sequence', 'id', pg_get_serial_sequence('{TABLE}', 'id')
        ORDER BY 1, 2
    """)


def rows(table: str = TABLE) -> list[tuple[object, ...]]:
    return sql(f"SELECT * FROM {table} ORDER BY id")


@pytest.mark.usefixtures("returns")
def test_partitioned_table_keeps_rows_definitions_grants_and_views(partition: Callable[..., CompletedCommand]) -> None:
    before = description(), rows(), sql("SELECT * FROM landing.days ORDER BY day")
    done = partition("--apply")
    assert (done.exit_code, done.err) == (0, "")
    assert (description(), rows(), sql("SELECT * FROM landing.days ORDER BY day")) == before
    assert rows(OLD) == before[1]
    kinds = sql(f"""
        SELECT relkind::text, (SELECT count(*) FROM pg_inherits WHERE inhparent = c.oid) > 12
        FROM pg_class AS c WHERE oid = '{TABLE}'::regclass
    """)
    assert kinds == [("p", True)]
    assert sql("SELECT DISTINCT reloptions FROM pg_class WHERE relispartition AND relkind = 'r'") == [
        (["fillfactor=70", "autovacuum_enabled=false"],)
    ]
    # The next number, the trigger and the foreign key work on, also without the old table.
    sql(f"DROP TABLE {OLD}; INSERT INTO {TABLE} (day, vendor, note) VALUES ('2026-02-01', 2, 'new')")
    assert sql(f"SELECT id, n, note, twice FROM {TABLE} WHERE day = '2026-02-01'") == [(41, 41, "NEW", 2)]
    sql("DELETE FROM landing.vendor WHERE id = 1")
    assert sql(f"SELECT count(*) FROM {TABLE}") == [(21,)]


@pytest.mark.usefixtures("returns")
def test_dry_run_prints_statements_that_can_be_pasted(
    partition: Callable[..., CompletedCommand], tmp_path: Path
) -> None:
    before = description(), rows()
    shown = partition()
    assert (description(), rows()) == before
    assert sql("SELECT count(*) FROM pg_class WHERE relispartition") == [(0,)]
    script = "\n".join(shown.lines)
    with another_session() as session:
        session.execute(script)
    assert (description(), rows()) == before
    assert sql(f"SELECT relkind::text FROM pg_class WHERE oid = '{TABLE}'::regclass") == [("p",)]
    again = partition("--apply")
    assert (again.exit_code, len(again.err.splitlines())) == (2, 1)
    assert "it is partitioned already" in again.err


@pytest.mark.parametrize("every", ["day", "month", "year"])
@pytest.mark.parametrize("kind", ["date", "timestamp", "timestamptz", "timestamptz(3)"])
def test_rows_of_each_period_are_in_its_partition(
    partition: Callable[..., CompletedCommand], kind: str, every: str
) -> None:
    sql(f"""
        CREATE TABLE landing.t (at {kind}, n integer);
        INSERT INTO landing.t VALUES
            ('2024-02-29', 1), ('2024-12-31 23:59:59+00', 2), ('2025-01-01 00:00:00+00', 3), (NULL, 4),
            ('infinity', 5), ('-infinity', 6), ('0044-03-15 BC', 7),
            ('20000-01-01', 8), ('1969-12-31', 9), ('1969-12-31', 9);
    """)
    document = partition("--apply", "--json", table="landing.t", by="at", every=every).document
    assert (document["defaultRows"], document["applied"]) == (5, True)
    found = dict(sql("SELECT n, tableoid::regclass::text FROM landing.t"))
    length = {"day": 8, "month": 6, "year": 4}[every]
    days = {1: "20240229", 2: "20241231", 3: "20250101", 9: "19691231"}
    assert {n: found[n] for n in days} == {n: f"landing.t_p{day[:length]}" for n, day in days.items()}
    assert {found[n] for n in (4, 5, 6, 7, 8)} == {"landing.t_default"}
    assert sql("SELECT count(*) FROM landing.t") == [(10,)]


def test_new_rows_have_partitions_ahead(partition: Callable[..., CompletedCommand]) -> None:
    sql("CREATE TABLE landing.t (at date)")
    assert len(partition("--json", "--ahead", "5", table="landing.t", by="at").document["partitions"]) == 7
    refused = partition("--ahead", "600", table="landing.t", by="at")
    assert (refused.exit_code, "601 partitions" in refused.err) == (2, True)


def test_loads_into_the_partitioned_table_can_be_undone(
    partition: Callable[..., CompletedCommand], manage: Manage, tmp_path: Path
) -> None:
    sql("CREATE TABLE landing.t (at date, n integer, PRIMARY KEY (at, n))")
    manage("track_loads", "landing.t")
    (tmp_path / "a.csv").write_text("at,n\n2026-01-05,1\n2026-02-05,2\n")
    (tmp_path / "b.csv").write_text("at,n\n2026-01-06,3\n2026-03-05,4\n")
    first = load_file(str(tmp_path / "a.csv"), table="landing.t")
    assert partition("--apply", table="landing.t", by="at").exit_code == 0
    assert ": it is partitioned already. Nothing has changed." in partition(table="landing.t", by="at").err
    second = load_file(str(tmp_path / "b.csv"), table="landing.t")
    assert sql("SELECT n, load_id FROM landing.t ORDER BY n") == [
        (1, first.load_id),
        (2, first.load_id),
        (3, second.load_id),
        (4, second.load_id),
    ]
    undo_load(second.load_id, actor="a test")
    with pytest.raises(
        RowsChanged, match="partitioned, rewritten or restored since, verify the load, and use --force"
    ):  # the copy has written the rows of earlier loads
        undo_load(first.load_id, actor="a test")
    undo_load(first.load_id, actor="a test", force=True)
    assert sql("SELECT n FROM landing.t") == []


def test_default_privileges_give_no_access_to_the_new_tables(
    partition: Callable[..., CompletedCommand], role: str
) -> None:
    sql(
        f"CREATE TABLE landing.t (at date); ALTER DEFAULT PRIVILEGES IN SCHEMA landing GRANT SELECT ON TABLES TO {role}"
    )
    assert partition("--apply", table="landing.t", by="at").exit_code == 0
    assert (
        sql(f"""
        SELECT relname FROM pg_class WHERE relnamespace = 'landing'::regnamespace AND relkind IN ('r', 'p')
            AND has_table_privilege('{role}', oid, 'SELECT')
    """)
        == []
    )
