"""One server for everybody."""

import os
from pathlib import Path

import psycopg
import pytest

from embedded.errors import BootstrapFailed, FolderOfOtherAccount, WrongVersion
from embedded.server import status, stop
from embedded.server_folder import resolve_server_folder
from tests.embedded.server_processes import EmbeddedServer

pytestmark = pytest.mark.slow


def test_eight_first_users_at_once_share_one_server_and_one_initdb(fresh: EmbeddedServer) -> None:
    users = [fresh.start_user() for _ in range(8)]

    assert len({user.server() for user in users}) == 1

    said = "".join(user.finish().err for user in users)
    assert said.count("creating") == 1
    assert said.count("started in") == 1
    assert len(said.splitlines()) == 2


def test_server_when_started_is_announced_once(house: EmbeddedServer) -> None:
    (first := house.start_user()).server()
    _, pid = (second := house.start_user()).server()
    server = house.server()

    assert first.finish().err == (
        f"embedded PostgreSQL {server.version} started in {house.folder} "
        f"(psql -h {server.socket_folder} -U postgres postgres)\n"
    )
    assert second.finish().err == ""
    assert server.pid == pid


def test_statements_are_counted_from_the_beginning(house: EmbeddedServer) -> None:
    house.start_user().server()

    with house.connect() as connection:
        assert connection.execute("SELECT count(*) > 0 FROM pg_stat_statements").fetchone() == (True,)


def test_settings_count_from_the_next_start(house: EmbeddedServer) -> None:
    house.start_user(settings={"application_name": "it's \\ quoted"}).server()

    with house.connect() as connection:
        assert connection.execute("SELECT reset_val FROM pg_settings WHERE name = 'application_name'").fetchone() == (
            "it's \\ quoted",
        )


def test_a_refused_setting_is_told_in_postgresqls_own_words(house: EmbeddedServer) -> None:
    ended = house.start_user(settings={"max_connections": "many"}).finish()

    assert ended.exit_code == 1
    assert 'invalid value for parameter "max_connections": "many"' in ended.err.splitlines()[-1]


def test_bootstrap_files_run_once_and_again_when_they_change(house: EmbeddedServer, tmp_path: Path) -> None:
    file = tmp_path / "bootstrap.sql"
    file.write_text("CREATE TABLE IF NOT EXISTS runs (at text); INSERT INTO runs VALUES ('100 %');")
    for _ in range(2):
        house.start_user(bootstrap=[file]).server()
    with house.connect() as connection:
        assert connection.execute("SELECT at FROM runs").fetchall() == [("100 %",)]

    file.write_text(file.read_text() + "-- changed")
    house.start_user(bootstrap=[file]).server()

    with house.connect() as connection:
        assert connection.execute("SELECT count(*) FROM runs").fetchone() == (2,)


def test_a_bootstrap_file_that_fails_is_named_and_runs_again(house: EmbeddedServer, tmp_path: Path) -> None:
    file = tmp_path / "bootstrap.sql"
    file.write_text("CREATE TABLE half (); SELECT 1 / 0;")
    ended = house.start_user(bootstrap=[file]).finish()
    assert BootstrapFailed.__name__ in ended.err
    assert f"{file} failed" in ended.err
    assert "division by zero" in ended.err

    file.write_text("CREATE TABLE half ();")
    house.start_user(bootstrap=[file]).server()


def test_stop_ends_the_server_and_its_watcher_whoever_uses_it(house: EmbeddedServer) -> None:
    house.start_user().server()

    assert stop(house.folder)

    assert status(house.folder).server is None
    assert not stop(house.folder)


def test_looking_at_a_folder_that_does_not_exist_creates_nothing(fresh: EmbeddedServer) -> None:
    assert status(fresh.folder).server is None
    assert not stop(fresh.folder)
    assert not fresh.folder.parent.exists()


def test_data_of_another_major_version_is_left_alone(house: EmbeddedServer) -> None:
    (house.folder / "data" / "PG_VERSION").write_text("17\n")

    ended = house.start_user().finish()

    assert f"{WrongVersion.__name__}: {house.folder / 'data'} was made by PostgreSQL 17" in ended.err
    assert "move or delete" in ended.err


def test_the_folder_of_another_account_is_refused(house: EmbeddedServer) -> None:
    with pytest.MonkeyPatch.context() as somebody_else:
        somebody_else.setattr(os, "geteuid", lambda: 4242)

        with pytest.raises(FolderOfOtherAccount, match="belongs to the account"):
            resolve_server_folder(house.folder)


def test_a_copy_of_a_running_checkout_gets_a_server_of_its_own(house: EmbeddedServer, tmp_path: Path) -> None:
    _, original = house.start_user().server()

    with EmbeddedServer(tmp_path / "copy").copied_from(house.folder) as copy:
        _, pid = copy.start_user().server()

        assert pid != original
        with copy.connect() as connection:
            shown = connection.execute("SHOW data_directory").fetchone()
            assert shown == (str(copy.folder / "data"),)


def test_a_bare_environment_is_enough(fresh: EmbeddedServer) -> None:
    interpreter_needs = {name: os.environ[name] for name in ("LD_LIBRARY_PATH",) if name in os.environ}

    fresh.start_user(environment={"PATH": os.defpath, **interpreter_needs}).server()


def test_nobody_but_the_account_and_root_gets_as_far_as_the_socket(house: EmbeddedServer) -> None:
    house.start_user().server()

    assert house.folder.stat().st_mode & 0o077 == 0
    with house.connect() as connection:
        connection.execute("CREATE ROLE reader LOGIN")
    server = house.server()
    with psycopg.connect(host=str(server.socket_folder), port=server.port, user="reader", dbname="postgres") as reader:
        assert reader.execute("SELECT current_user").fetchone() == ("reader",)
