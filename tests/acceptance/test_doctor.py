"""What somebody does who does not know why views are not refreshed: ask the doctor, paste what it says, ask again."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from seeder.domain.doctor.diagnosis import Problem
from tests.acceptance.doctor_cases import (
    CASES_FIXED_BY_INSTALL,
    CASES_FIXED_BY_SQL,
    CASES_WITHOUT_FIX,
    OWNER,
    PROBLEMS_TESTED_ELSEWHERE,
    PROBLEMS_WITH_OWN_TEST,
    ROLE,
    VIEW,
    DoctorCase,
    execute_as_owner,
    healthy_database,
    manifest,
    settings_module,
)
from tests.acceptance.terminal_output import plain_text, run_on_terminal
from tests.acceptance.test_bad_input import only_line
from tests.acceptance.test_pooled import invent_a_pid
from tests.conftest import CompletedCommand, another_session, has_statements, need_statements, sql
from tests.server_proxy import proxy_to_server

Manage = Callable[..., CompletedCommand]


@pytest.fixture(autouse=True)
def _healthy(empty_queue: None) -> Iterator[None]:
    with healthy_database():
        yield


@pytest.fixture
def doctor(manage: Manage) -> Callable[..., list[dict[str, Any]]]:
    """What is found, asked for as our role."""

    def look(*options: str, **environment: str) -> list[dict[str, Any]]:
        ended = manage("doctor", "--json", *options, **{"DB_USER": ROLE, **environment})
        assert ended.err == ""
        expected = set() if has_statements() else {"pg_stat_statements_unloaded", "pg_stat_statements_missing"}
        found: list[dict[str, Any]] = [one for one in ended.document["diagnoses"] if one["word"] not in expected]
        assert ended.exit_code == any(one["level"] == "error" for one in found)
        return found

    return look


Doctor = Callable[..., list[dict[str, Any]]]


def words(found: list[dict[str, Any]]) -> set[str]:
    return {one["word"] for one in found}


def only(found: list[dict[str, Any]], word: str) -> dict[str, Any]:
    [one] = [one for one in found if one["word"] == word]
    return one


def test_a_healthy_database_is_one_line(manage: Manage) -> None:
    need_statements()
    ended = manage("doctor", DB_USER=ROLE)
    assert (ended.exit_code, ended.err) == (0, "")
    [line] = ended.lines
    assert re.fullmatch(rf"Nothing is wrong: default: PostgreSQL \S.*, as {ROLE}, 1 view in manifests\.", line)
    assert manage("doctor", "--fail-level", "info", DB_USER=ROLE).exit_code == 0
    assert manage("doctor", "--json", DB_USER=ROLE).document["diagnoses"] == []


@pytest.mark.parametrize("case", CASES_FIXED_BY_SQL, ids=lambda case: f"{case.problem} {case.subject}")
def test_what_is_wrong_is_found_and_gone_when_its_fix_is_pasted(case: DoctorCase, doctor: Doctor) -> None:
    major = int(sql("SHOW server_version_num")[0][0]) // 10000
    if not case.min_server_version <= major <= case.max_server_version:
        pytest.skip(
            f"what only PostgreSQL {case.min_server_version} to {case.max_server_version} is like: this is {major}"
        )
    if case.problem.startswith("pg_stat_statements_"):
        need_statements()
    if case.provoking_sql:
        execute_as_owner(case.provoking_sql)
    found = only(doctor(**case.environment), case.problem)
    assert (found["about"], found["database"]) == (case.subject, "default")
    execute_as_owner(found["sql"])
    assert case.problem not in words(doctor(**case.environment))


@pytest.mark.parametrize("word", CASES_WITHOUT_FIX)
def test_what_no_statement_can_put_right_is_found_with_what_to_do(word: str, doctor: Doctor) -> None:
    provoke, environment = CASES_WITHOUT_FIX[word]
    if provoke:
        execute_as_owner(provoke)
    found = only(doctor(**environment), word)
    assert found["message"]
    assert found["fix"]
    assert found["sql"] is None


@pytest.mark.parametrize("word", CASES_FIXED_BY_INSTALL)
def test_a_table_that_is_not_there_is_gone_from_what_is_found_once_it_is_installed(
    word: str, doctor: Doctor, manage: Manage
) -> None:
    execute_as_owner(CASES_FIXED_BY_INSTALL[word])
    assert "`manage.py install_schema`" in only(doctor(), word)["fix"]
    assert manage("install_schema").exit_code == 0
    execute_as_owner(f"GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA reporting TO {ROLE}")
    assert word not in words(doctor())


def test_a_missing_view_is_created_by_the_command_that_is_named(doctor: Doctor, manage: Manage) -> None:
    execute_as_owner(manifest("reporting.a"))
    assert "`manage.py refresh_table`" in only(doctor(), "view_missing")["fix"]
    assert only(doctor("--without-drift"), "view_missing")["about"] == "reporting.a"
    assert manage("refresh_table", "reporting.a", DB_USER=ROLE).exit_code == 0
    assert "view_missing" not in words(doctor())


def test_a_view_that_is_created_anew_keeps_its_indexes_owner_and_grants(doctor: Doctor) -> None:
    execute_as_owner(
        VIEW + f"GRANT SELECT ON reporting.a TO PUBLIC; GRANT SELECT ON reporting.a TO {OWNER} WITH GRANT OPTION;"
    )
    execute_as_owner(
        "UPDATE reporting.seeder_custom_report_manifest SET query = 'SELECT n + 1 AS n FROM reporting.source;'"
    )
    execute_as_owner("DELETE FROM reporting.seeder_custom_report_manifest WHERE table_name <> 'reporting.a'")
    kept = "SELECT relowner::regrole::text, relacl::text, (SELECT array_agg(pg_get_indexdef(indexrelid)) FROM pg_index"
    kept += " WHERE indrelid = c.oid) FROM pg_class AS c WHERE oid = 'reporting.a'::regclass"
    before = sql(kept)
    execute_as_owner(only(doctor(), "definition_drift")["sql"])
    assert sql(kept) == before
    assert sql("SELECT n FROM reporting.a") == [(2,)]


def test_what_a_missing_view_reads_may_be_closed_to_us_and_what_a_view_reads_too(doctor: Doctor) -> None:
    execute_as_owner(
        "CREATE SCHEMA closed; CREATE TABLE closed.source AS SELECT 1 AS n;" + manifest("reporting.a", CLOSED)
    )
    found = doctor()
    assert "permission denied for schema closed" in only(found, "create_forbidden")["message"]
    assert "view_missing" not in words(found)
    execute_as_owner(f"CREATE MATERIALIZED VIEW reporting.a AS {CLOSED}; CREATE UNIQUE INDEX ON reporting.a (n)")
    assert "permission denied for schema closed" in only(doctor(), "drift_unknown")["message"]


CLOSED = "SELECT n FROM closed.source"


def test_a_missing_view_may_have_a_second_query_that_is_closed_to_us(doctor: Doctor) -> None:
    execute_as_owner("CREATE SCHEMA closed; CREATE TABLE closed.source AS SELECT 1 AS n;")
    execute_as_owner(manifest("reporting.a") + manifest("reporting.a", CLOSED))
    assert words(doctor()) == {"view_missing"}


def test_what_is_pasted_of_a_query_from_a_form_is_what_the_query_says(manage: Manage) -> None:
    query = "SELECT 1 AS n,\r\n\t'1\xa0000' AS figure"
    execute_as_owner(
        "CREATE MATERIALIZED VIEW reporting.a AS SELECT 1 AS n, '' AS figure;" + manifest("reporting.a", query)
    )
    assert f"\nCREATE MATERIALIZED VIEW reporting.a AS\n{query}\n;\n".replace("\r", "") in manage("doctor").out


def test_manifests_that_want_one_view_differently_are_said_to(doctor: Doctor) -> None:
    execute_as_owner(VIEW + manifest("reporting.a", "SELECT 7 AS n"))
    found = only(doctor(), "definition_drift")
    assert "different queries" in found["fix"]
    assert found["sql"] is None


def test_a_query_that_can_be_no_view_any_more_is_drift_with_postgresql_s_words(doctor: Doctor) -> None:
    execute_as_owner(
        VIEW + "UPDATE reporting.seeder_custom_report_manifest SET query = 'SELECT gone' WHERE table_name ~ 'a'"
    )
    found = only(doctor(), "definition_drift")
    assert 'column "gone" does not exist' in found["message"]
    assert found["sql"] is None


def test_columns_that_may_be_read_are_enough_and_plain_views_are_read_as_their_owners(doctor: Doctor) -> None:
    execute_as_owner(
        VIEW + f"REVOKE SELECT ON reporting.source FROM {ROLE}; GRANT SELECT (n) ON reporting.source TO {ROLE}"
    )
    assert doctor() == []
    execute_as_owner(
        f"REVOKE ALL ON reporting.source FROM {ROLE}, {OWNER}; REVOKE SELECT (n) ON reporting.source FROM {ROLE};"
        " CREATE VIEW reporting.between AS SELECT n FROM reporting.source;"
        f" ALTER VIEW reporting.between OWNER TO {OWNER}; GRANT SELECT ON reporting.between TO {ROLE};"
        " DROP MATERIALIZED VIEW reporting.a; CREATE MATERIALIZED VIEW reporting.a AS SELECT n FROM reporting.between"
        " WITH NO DATA;"
        f" CREATE UNIQUE INDEX ON reporting.a (n); ALTER MATERIALIZED VIEW reporting.a OWNER TO {ROLE}"
    )
    found = only(doctor("--without-drift"), "source_forbidden")
    assert found["sql"] == f"GRANT SELECT ON reporting.source TO {OWNER};"
    execute_as_owner("ALTER VIEW reporting.between SET (security_invoker = on)")
    found = only(doctor("--without-drift"), "source_forbidden")
    assert found["sql"] == f"GRANT SELECT ON reporting.source TO {ROLE};"


def test_the_settings_of_the_queue_are_looked_at(doctor: Doctor, tmp_path: Path) -> None:
    host = settings_module(tmp_path, "Q_CLUSTER = {**Q_CLUSTER, 'catch_up': True}")
    found = doctor(**host, SEEDER_STATEMENT_TIMEOUT_MS="60000")
    assert "(seeder.E009)" in only(found, "queue_fault")["message"]
    assert "(seeder.W011)" in only(found, "queue_risk")["message"]
    host = settings_module(tmp_path, "SEEDER = {'NIGHTLY_CRON': 'nonsense'}")
    assert only(doctor(**host), "queue_fault")["about"] == "SEEDER_NIGHTLY_CRON"


def test_mapped_databases_are_looked_at_as_well(doctor: Doctor, tmp_path: Path) -> None:
    sql("CREATE SCHEMA reporting", using="archive")
    sql("CREATE MATERIALIZED VIEW reporting.a AS SELECT 1 AS n; CREATE SCHEMA other", using="archive")
    sql("CREATE UNIQUE INDEX ON reporting.a (n)", using="archive")
    execute_as_owner(manifest("reporting.a") + manifest("reporting.b"))
    execute_as_owner(
        "UPDATE reporting.seeder_custom_report_manifest SET database_id = 2 WHERE table_name = 'reporting.a'"
    )
    execute_as_owner(
        "UPDATE reporting.seeder_custom_report_manifest SET database_id = 3 WHERE table_name = 'reporting.b'"
    )
    host = settings_module(tmp_path, "SEEDER = {'DATABASES': {1: 'default', 2: 'archive'}}")
    found = doctor(**host)
    assert only(found, "schema_forbidden")["database"] == "archive"
    assert (only(found, "view_forbidden")["database"], only(found, "view_forbidden")["about"]) == (
        "archive",
        "reporting.a",
    )
    assert only(found, "database_unmapped")["about"] == "custom manifest 3 of demo"


def test_a_mapped_database_that_cannot_be_asked_hides_none_of_the_others(doctor: Doctor, tmp_path: Path) -> None:
    execute_as_owner(manifest("a.b.c"))
    host = settings_module(
        tmp_path, "SEEDER = {'DATABASES': {1: 'default', 2: 'archive'}}\nDATABASES['archive']['NAME'] = 'nowhere'"
    )
    found = doctor(**host)
    assert only(found, "database_unreachable")["database"] == "archive"
    assert only(found, "bad_name")["database"] == "default"


def test_a_proxy_that_pools_transactions_is_found(doctor: Doctor) -> None:
    with proxy_to_server(transform=invent_a_pid) as (host, port):
        assert only(doctor(DB_HOST=host, DB_PORT=str(port), PGSSLMODE="disable"), "sessions_pooled")["fix"]


def test_nothing_is_waited_for_while_a_view_is_refreshed(doctor: Doctor) -> None:
    execute_as_owner(VIEW + manifest("reporting.b", "SELECT n FROM reporting.a") + manifest("a.b.c"))
    with another_session() as refresh:
        refresh.execute("BEGIN; REFRESH MATERIALIZED VIEW reporting.a")
        began = monotonic()
        found = doctor()
        took = monotonic() - began
    assert only(found, "drift_unknown")["about"] == "reporting.a"
    assert only(found, "bad_name")
    assert took < 10, "seconds, most of them the start of a process"
    assert "drift_unknown" not in words(doctor())


def test_nothing_is_written_and_a_role_that_may_not_write_finds_as_much(doctor: Doctor) -> None:
    execute_as_owner(VIEW + manifest("reporting.b") + manifest("a.b.c") + "DROP INDEX reporting.a_n")
    before = everything()
    found = words(doctor())
    assert everything() == before
    execute_as_owner(f"ALTER ROLE {ROLE} SET default_transaction_read_only = on")
    assert words(doctor()) == found | {"read_only"}


def everything() -> list[tuple[Any, ...]]:
    """What is in the catalogs and in the tables, and which transaction put it there."""
    catalogs = ("pg_class", "pg_attribute", "pg_proc", "pg_rewrite", "pg_depend", "pg_namespace", "pg_type", "pg_index")
    of_ours = "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname IN ('reporting', 'public')"
    rows = []
    for table in (*catalogs, *(name for (name,) in sql(of_ours))):
        # What VACUUM and ANALYZE put down of a relation is nobody's doing.
        of = "oid, relname, relfilenode, relacl" if table == "pg_class" else "t.xmin, t"
        row = f"ROW ({of})::text"
        rows += sql(f"SELECT '{table}', count(*), md5(string_agg({row}, '' ORDER BY {row})) FROM {table} AS t")
    return rows


def test_who_watches_learns_by_the_exit_code(manage: Manage) -> None:
    execute_as_owner(manifest("reporting.a"))
    assert manage("doctor", DB_USER=ROLE).exit_code == 0
    assert manage("doctor", "--fail-level", "WARNING", DB_USER=ROLE).exit_code == 1
    execute_as_owner(manifest("a.b.c"))
    assert manage("doctor", DB_USER=ROLE).exit_code == 1


def test_a_database_that_cannot_be_asked_is_one_line(manage: Manage) -> None:
    assert "Cannot connect to PostgreSQL at /nowhere" in only_line(manage("doctor", DB_HOST="/nowhere"))
    assert "invalid choice: 'BAD'" in only_line(manage("doctor", "--fail-level", "bad"))
    assert "SEEDER_MAX_WORKERS" in only_line(manage("doctor", SEEDER_MAX_WORKERS="lots"))


def test_many_that_are_alike_are_told_together_and_all_of_them_when_asked(manage: Manage) -> None:
    for number in range(9):
        execute_as_owner(manifest(f"reporting.new_{number}"))
    told = manage("doctor", DB_USER=ROLE).out
    assert "view_missing (9 times) in default" in told
    assert "reporting.new_4 and 4 more (--all or --json has them): It does not exist." in told
    assert told.count("It does not exist.") == 1
    assert "reporting.new_8" in manage("doctor", "--all", DB_USER=ROLE).out


def test_a_name_cannot_write_on_the_terminal_and_its_fix_still_can_be_pasted(manage: Manage, doctor: Doctor) -> None:
    execute_as_owner('CREATE SCHEMA "a\x1b[2Jb"; CREATE MATERIALIZED VIEW "a\x1b[2Jb".a AS SELECT 1 AS n;')
    execute_as_owner(manifest('"a\x1b[2Jb".a'))
    out = manage("doctor", DB_USER=ROLE).out
    assert "\x1b" not in out
    assert "\n-- It holds characters that could write on the terminal: --json has it.\n" in out
    execute_as_owner(only(doctor(), "schema_forbidden")["sql"])
    assert "schema_forbidden" not in words(doctor())


def test_a_terminal_has_colours_the_gravest_first(monkeypatch: pytest.MonkeyPatch) -> None:
    need_statements()  # or there is one hint more
    execute_as_owner(
        manifest("a.b.c") + manifest("reporting.a") + "CREATE MATERIALIZED VIEW reporting.stray AS SELECT 1 AS n"
    )
    code, drawn = run_on_terminal("doctor")
    assert code == 1
    assert "\x1b[1;31m1 error, 1 warning, 2 hints" in drawn
    shown = plain_text(drawn)
    assert shown.index("bad_name") < shown.index("view_missing") < shown.index("view_without_manifest")
    assert not re.search(r"\x1b\[[0-9;]*3[0-9]", run_on_terminal("doctor", "--no-color")[1])


def test_every_word_is_provoked_by_a_test() -> None:
    tried = (
        {case.problem for case in CASES_FIXED_BY_SQL}
        | CASES_WITHOUT_FIX.keys()
        | CASES_FIXED_BY_INSTALL.keys()
        | PROBLEMS_WITH_OWN_TEST
        | PROBLEMS_TESTED_ELSEWHERE
    )
    assert tried == {str(word) for word in Problem}
