"""Rows that violate a key, a constraint, a policy or a trigger of the table."""

from pathlib import Path

import pytest

from data_pipeline.errors import HeaderRefused
from tests.acceptance.data_pipeline.file_loads import Bad, States, create, load, require, rows
from tests.conftest import sql

pytestmark = pytest.mark.usefixtures("load_tables")
UNIQUE: States = {"id": "23505"}
UNIQUE_RECORD: States = {None: "23505"}
CHECK: States = {"name": "23514"}
NO_PARTITION: States = {None: "23514"}
T = "landing.orders"


def id_and_name(*records: str) -> bytes:
    return "\n".join(["id,name", *records, ""]).encode()


def numbers() -> list[int]:
    return [number for (number,) in rows("id")]


@pytest.mark.parametrize(
    "key",
    [
        "PRIMARY KEY (id)",
        "UNIQUE (id)",
        "UNIQUE (id) DEFERRABLE INITIALLY DEFERRED",
        "UNIQUE (id) INCLUDE (name)",
    ],
)
def test_duplicate_in_the_file_and_in_the_table_is_rejected(tmp_path: Path, key: str) -> None:
    create(f"id integer, name text, {key}")
    sql(f"INSERT INTO {T} VALUES (1, 'old')")
    loaded = load(tmp_path, id_and_name("1,a", "2,b", "2,c", "3,d"))
    require(loaded, good=2, bad=[Bad(2, 1, b"1,a", UNIQUE), Bad(4, 3, b"2,c", UNIQUE)])
    assert rows() == [(1, "old"), (2, "b"), (3, "d")]


@pytest.mark.parametrize(
    ("index", "records", "bad"),
    [
        ("(id)", ["1,a", "1,b", ",c", ",d"], [Bad(3, 2, b"1,b", UNIQUE)]),
        ("(id, name)", ["1,a", "1,a", "1,b", "1,", "1,"], [Bad(3, 2, b"1,a", UNIQUE_RECORD)]),
        ("(id) WHERE name <> 'old'", ["1,old", "1,old", "2,x", "2,y"], [Bad(5, 4, b"2,y", UNIQUE)]),
        ("(lower(name))", ["1,a", "2,A", "3,b"], [Bad(3, 2, b"2,A", UNIQUE_RECORD)]),
        ("(id, lower(name)) WHERE id > 1", ["1,a", "1,A", "2,a", "2,A"], [Bad(5, 4, b"2,A", UNIQUE_RECORD)]),
    ],
    ids=["plain", "two columns", "partial", "expression", "partial expression"],
)
def test_duplicate_by_a_unique_index_is_rejected(
    tmp_path: Path, index: str, records: list[str], bad: list[Bad]
) -> None:
    create("id integer, name text")
    sql(f"CREATE UNIQUE INDEX ON {T} {index}")
    require(load(tmp_path, id_and_name(*records)), good=len(records) - len(bad), bad=bad)


def test_nulls_are_duplicates_if_the_key_says_so(tmp_path: Path) -> None:
    create("id integer, name text, UNIQUE NULLS NOT DISTINCT (id, name)")
    loaded = load(tmp_path, id_and_name("1,", "1,", ",", ",", "1,a"))
    require(loaded, good=3, bad=[Bad(3, 2, b"1,", UNIQUE_RECORD), Bad(5, 4, b",", UNIQUE_RECORD)])


def test_first_accepted_record_of_a_key_wins(tmp_path: Path) -> None:
    create("id integer PRIMARY KEY, name text CHECK (name <> 'bad'), other integer")
    records = ["1,a,1", "1,b,1", "5,bad,1", "5,good,1", "6,c,1", "5,late,1"]
    loaded = load(tmp_path, "\n".join(["id,name,other", *records]).encode())
    bad = [Bad(3, 2, b"1,b,1", UNIQUE), Bad(4, 3, b"5,bad,1", CHECK), Bad(7, 6, b"5,late,1", UNIQUE)]
    require(loaded, good=3, bad=bad)
    assert rows("id", "name") == [(1, "a"), (5, "good"), (6, "c")]


def test_duplicate_of_a_duplicate_is_no_duplicate(tmp_path: Path) -> None:
    create("id integer UNIQUE, name text UNIQUE")
    loaded = load(tmp_path, id_and_name("1,a", "1,x", "2,a", "2,b"))
    require(loaded, good=2, bad=[Bad(3, 2, b"1,x", UNIQUE), Bad(4, 3, b"2,a", {"name": "23505"})])
    assert rows() == [(1, "a"), (2, "b")]


@pytest.mark.parametrize("check", ["name <> 'bad'", "num_nonnulls(id, name) = 2 AND name NOT LIKE 'b%d'"])
def test_failing_check_is_rejected(tmp_path: Path, check: str) -> None:
    create(f"id integer, name text, CHECK ({check})")
    loaded = load(tmp_path, id_and_name("1,a", "2,bad", "3,c"))
    column = "name" if check.startswith("name") else None
    require(loaded, good=2, bad=[Bad(3, 2, b"2,bad", {column: "23514"})])


def test_not_valid_check_holds_for_new_rows(tmp_path: Path) -> None:
    create("id integer, name text")
    sql(f"INSERT INTO {T} VALUES (0, 'bad'); ALTER TABLE {T} ADD CHECK (name <> 'bad') NOT VALID")
    require(load(tmp_path, id_and_name("1,bad", "2,b")), good=1, bad=[Bad(2, 1, b"1,bad", CHECK)])


@pytest.mark.parametrize("options", ["", "DEFERRABLE INITIALLY DEFERRED", "NOT VALID"])
def test_missing_parent_is_rejected(tmp_path: Path, options: str) -> None:
    create("id integer, name text")
    sql(f"CREATE TABLE landing.customers (id integer PRIMARY KEY); INSERT INTO landing.customers VALUES (1), (3);"
        f"ALTER TABLE {T} ADD FOREIGN KEY (id) REFERENCES landing.customers {options}")  # fmt: skip
    loaded = load(tmp_path, id_and_name("1,a", "2,b", ",c", "3,d", "2,e"))
    states: States = {"id": "23503"}
    require(loaded, good=3, bad=[Bad(3, 2, b"2,b", states), Bad(6, 5, b"2,e", states)])


def test_missing_parent_of_two_columns_is_rejected(tmp_path: Path) -> None:
    create("id integer, name text")
    sql(f"CREATE TABLE landing.customers (a integer, b text, PRIMARY KEY (b, a));"
        f"INSERT INTO landing.customers VALUES (1, 'a');"
        f"ALTER TABLE {T} ADD FOREIGN KEY (name, id) REFERENCES landing.customers (b, a) MATCH FULL")  # fmt: skip
    bad = [Bad(3, 2, b"1,b", {None: "23503"}), Bad(4, 3, b"1,", {None: "23503"})]
    require(load(tmp_path, id_and_name("1,a", "1,b", "1,", ",")), good=2, bad=bad)


@pytest.mark.parametrize("chunk_records", ["0", "1"])
def test_parent_in_the_same_table_and_file_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chunk_records: str
) -> None:
    monkeypatch.setenv("INGEST_STREAMING_CHUNK_SIZE", chunk_records)
    create(f"id integer PRIMARY KEY, parent integer REFERENCES {T}")
    records = ["1,2", "2,", "3,9", "4,3", "x,", "5,1"]
    loaded = load(tmp_path, "\n".join(["id,parent", *records]).encode())
    states: States = {"parent": "23503"}
    bad = [Bad(4, 3, b"3,9", states), Bad(5, 4, b"4,3", states), Bad(6, 5, b"x,", {"id": "22P02"})]
    require(loaded, good=3, bad=bad)
    assert numbers() == [1, 2, 5]


def test_generated_and_identity_columns_are_filled(tmp_path: Path) -> None:
    create("no bigint GENERATED ALWAYS AS IDENTITY, id integer, name text, half integer GENERATED ALWAYS AS"
           " (10 / id) STORED CHECK (half < 9), extra text DEFAULT 'x' NOT NULL")  # fmt: skip
    loaded = load(tmp_path, id_and_name("1,a", "0,b", "2,c", "5,d"))
    require(loaded, good=2, bad=[Bad(2, 1, b"1,a", {"half": "23514"}), Bad(3, 2, b"0,b", {None: "22012"})])
    assert rows("id", "half", "extra") == [(2, 5, "x"), (5, 2, "x")]
    with pytest.raises(HeaderRefused, match="half"):
        load(tmp_path, b"id,half\n1,2\n")


_TRIGGER = """
CREATE FUNCTION landing.judge() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    {body}
    RETURN NEW;
END $$;
CREATE {kind} judge {time} INSERT ON landing.orders FOR EACH ROW EXECUTE FUNCTION landing.judge()
"""


@pytest.mark.parametrize("state", ["P0001", "42501", "57014", "40001", "XX000", "55P03", "US001", "08006"])
@pytest.mark.parametrize(("kind", "time"), [("TRIGGER", "BEFORE"), ("CONSTRAINT TRIGGER", "AFTER")])
def test_row_for_which_a_trigger_raises_is_rejected(tmp_path: Path, state: str, kind: str, time: str) -> None:
    create("id integer, name text")
    body = f"IF NEW.name = 'bad' THEN RAISE EXCEPTION 'no 100%% good' USING ERRCODE = '{state}'; END IF;"
    sql(_TRIGGER.format(body=body, kind=kind, time=time))
    loaded = load(tmp_path, id_and_name("1,a", "2,bad", "3,c", "4,bad"))
    require(loaded, good=2, bad=[Bad(3, 2, b"2,bad", {None: state}), Bad(5, 4, b"4,bad", {None: state})])
    assert loaded.rejects[0].problems[0].reason == "no 100% good"


def test_key_that_a_trigger_changes_is_judged_after_the_trigger(tmp_path: Path) -> None:
    create("id integer UNIQUE, name text CHECK (name = lower(name))")
    sql(_TRIGGER.format(body="NEW.name := lower(NEW.name); NEW.id := NEW.id + 1;", kind="TRIGGER", time="BEFORE"))
    sql(f"INSERT INTO {T} VALUES (1, 'a'), (6, 'b')")  # stored as 2 and 7
    loaded = load(tmp_path, id_and_name("2,A", "1,B", "2,C"))
    require(loaded, good=1, bad=[Bad(3, 2, b"1,B", UNIQUE), Bad(4, 3, b"2,C", UNIQUE)])
    assert rows() == [(2, "a"), (3, "a"), (7, "b")]


def test_row_that_a_trigger_keeps_out_is_not_rejected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INGEST_STREAMING_CHUNK_SIZE", "2")
    create("id integer, name text")
    body = "IF NEW.name = 'out' THEN RETURN NULL; END IF;"
    sql(_TRIGGER.format(body=body, kind="TRIGGER", time="BEFORE"))
    loaded = load(tmp_path, id_and_name('1,"a\nb"', "2,out", "3,out", "4,d", "x,e", "6,f"))
    assert (loaded.counts.rows_in, loaded.counts.rows_inserted, loaded.counts.rows_rejected) == (6, 3, 1)
    assert (loaded.rejects[0].line_no, loaded.rejects[0].record_no) == (7, 5)


def test_row_without_a_partition_is_rejected(tmp_path: Path) -> None:
    sql(f"CREATE TABLE {T} (id integer PRIMARY KEY, name text CHECK (name <> 'bad')) PARTITION BY RANGE (id);"
        f"CREATE TABLE landing.few PARTITION OF {T} (CHECK (name <> 'few')) FOR VALUES FROM (1) TO (10);"
        f"CREATE TABLE landing.many PARTITION OF {T} FOR VALUES FROM (10) TO (100)")  # fmt: skip
    loaded = load(tmp_path, id_and_name("1,a", "500,b", "10,few", "2,few", "3,bad", "1,c", "11,d", "11,e"))
    bad = [
        Bad(3, 2, b"500,b", NO_PARTITION), Bad(5, 4, b"2,few", CHECK), Bad(6, 5, b"3,bad", CHECK),
        Bad(7, 6, b"1,c", UNIQUE), Bad(9, 8, b"11,e", UNIQUE),
    ]  # fmt: skip
    require(loaded, good=3, bad=bad)
    assert numbers() == [1, 10, 11]


def test_names_with_odd_characters_are_quoted(tmp_path: Path) -> None:
    name = '''landing."Odd ""100%s"" Table"'''
    columns = ["Upper", "with space", "per%cent", "%s", 'quo"te', "record_no", "select", "żółw", "a.b", "c0"]
    quoted = ", ".join('"' + one.replace('"', '""') + '"' for one in columns)
    definitions = ", ".join('"' + one.replace('"', '""') + '" integer NOT NULL CHECK (TRUE)' for one in columns)
    sql(f"CREATE TABLE {name} ({definitions}, UNIQUE ({quoted}))")
    header = quoted.replace(", ", ",").encode()
    first, other = b",".join([b"1"] * 10), b",".join([b"2"] * 10)
    loaded = load(tmp_path, b"\n".join([header, first, other, b"x,,1,x,1,1,1,1,1,1", first]), table=name)
    states: States = {"Upper": "22P02", "with space": "23502", "%s": "22P02"}
    bad = [Bad(4, 3, b"x,,1,x,1,1,1,1,1,1", states), Bad(5, 4, first, UNIQUE_RECORD)]
    require(loaded, good=2, bad=bad)
    assert loaded.target == '''landing."Odd ""100%s"" Table"'''


def test_schema_with_odd_characters_is_loaded(tmp_path: Path) -> None:
    sql('DROP SCHEMA IF EXISTS "Odd.Schema %" CASCADE; CREATE SCHEMA "Odd.Schema %"; CREATE TABLE "Odd.Schema %"."T"'
        ' (id integer PRIMARY KEY)')  # fmt: skip
    loaded = load(tmp_path, b"id\n1\nx\n1\n", table='"Odd.Schema %"."T"')
    require(loaded, good=1, bad=[Bad(3, 2, b"x", {"id": "22P02"}), Bad(4, 3, b"1", UNIQUE)])
    sql('DROP SCHEMA "Odd.Schema %" CASCADE')


@pytest.mark.parametrize("share", [2, 50])
def test_violations_of_many_rows_are_found(tmp_path: Path, share: int) -> None:
    create("id integer PRIMARY KEY, name text CHECK (name <> 'bad')")
    records = [f"{number - number % share},{'bad' if number % 7 == 0 else 'good'}" for number in range(2000)]
    loaded = load(tmp_path, id_and_name(*records))
    expected, seen = [], set[int]()
    for number, record in enumerate(records, start=1):
        key, name = record.split(",")
        if name == "good" and int(key) not in seen:
            seen.add(int(key))
        else:
            expected.append((number, CHECK if name == "bad" else UNIQUE))
    bad = [Bad(number + 1, number, records[number - 1].encode(), states) for number, states in expected]
    require(loaded, good=len(seen), bad=bad)


@pytest.mark.parametrize("mode", ["upsert", "snapshot"])
def test_row_that_violates_another_key_is_rejected_alone_in_a_merge(tmp_path: Path, mode: str) -> None:
    create("id integer PRIMARY KEY, name text UNIQUE, other integer CHECK (other > 0)")
    sql(f"INSERT INTO {T} VALUES (1, 'a', 1), (2, 'b', 1), (3, 'c', 1)")
    records = ["1,a,1", "2,b,2", "3,a,1", "4,b,1", "5,d,1", "6,e,0", "7,f,x", "5,g,1"]
    loaded = load(tmp_path, "\n".join(["id,name,other", *records]).encode(), mode=mode)
    states = {3: "name", 4: "name", 6: "other", 7: "other", 8: "id"}
    assert [(one.record_no, one.line_no, one.raw.decode(), one.problems[0].column) for one in loaded.rejects] == [
        (number, number + 1, records[number - 1], column) for number, column in states.items()
    ]
    counts = loaded.counts
    assert (counts.rows_in, counts.rows_inserted, counts.rows_updated, counts.rows_unchanged) == (8, 1, 1, 1)
    assert rows() == [(1, "a", 1), (2, "b", 2), (3, "c", 1), (5, "d", 1)]


def test_replaced_table_has_the_good_rows_of_the_file(tmp_path: Path) -> None:
    create("id integer PRIMARY KEY, name text CHECK (name <> 'bad')")
    sql(f"INSERT INTO {T} VALUES (1, 'old'), (2, 'old')")
    loaded = load(tmp_path, id_and_name("1,bad", "1,new", "1,late", "x,y"), mode="replace")
    assert [(one.record_no, one.problems[0].column) for one in loaded.rejects] == [(1, "name"), (3, "id"), (4, "id")]
    assert rows() == [(1, "new")]
