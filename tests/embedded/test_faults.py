"""Whatever is killed, the next user has a server."""

import os
import signal
import subprocess
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from embedded.server_folder import resolve_server_folder
from tests.embedded.server_processes import IS_ROOT, EmbeddedServer, is_gone, kill, wait_until

pytestmark = pytest.mark.slow


def test_a_killed_user_disturbs_nobody(house: EmbeddedServer) -> None:
    (victim := house.start_user()).server()
    _, pid = house.start_user().server()

    victim.kill()

    assert house.start_user().server()[1] == pid


def test_after_a_killed_postmaster_the_next_user_starts_another(house: EmbeddedServer) -> None:
    _, pid = house.start_user().server()
    with closing(house.connect()) as connection:
        busy = connection.info.backend_pid
        connection.pgconn.send_query(b"DO $$ BEGIN LOOP END LOOP; END $$")  # never notices its loss by itself
        wait_until(lambda: psutil.Process(busy).cpu_times().user > 0.05)

        kill(pid)

        assert house.start_user().server()[1] != pid
        assert is_gone(busy)


def test_a_killed_watcher_is_replaced_by_the_next_user(house: EmbeddedServer) -> None:
    house.start_user().server()
    wait_until(house.watcher)
    first = house.watcher()
    assert first

    kill(first.pid)
    house.start_user().server()

    wait_until(house.watcher)
    second = house.watcher()
    assert second
    assert second.pid != first.pid


def test_a_stale_pid_file_is_not_believed_though_its_number_is_alive_again(house: EmbeddedServer) -> None:
    _, pid = house.start_user().server()
    kill(pid)
    stranger = subprocess.Popen(
        ["sleep", "600"], user=resolve_server_folder(house.folder).account.uid if IS_ROOT else None
    )
    try:
        for file in (house.folder / "data" / "postmaster.pid", house.folder / ".s.PGSQL.5432.lock"):
            _, *rest = file.read_text().splitlines()
            file.write_text("\n".join([str(stranger.pid), *rest, ""]))

        assert house.start_user().server()[1] not in (pid, stranger.pid)
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_an_initdb_cut_short_leaves_nothing_half_made(fresh: EmbeddedServer) -> None:
    first = fresh.start_user()
    wait_until((fresh.folder / "data.making" / "base").exists)
    first.kill()
    assert not (fresh.folder / "data").exists()

    fresh.start_user().server()

    assert (fresh.folder / "data" / "PG_VERSION").exists()
    assert not (fresh.folder / "data.making").exists()


def test_a_folder_taken_away_is_made_anew_for_those_who_use_it(house: EmbeddedServer, tmp_path: Path) -> None:
    _, pid = (user := house.start_user()).server()
    house.folder.rename(tmp_path / "taken away")
    try:
        assert user.server_again()[1] != pid
    finally:
        kill(pid)


def test_a_server_whose_socket_was_deleted_is_replaced(house: EmbeddedServer) -> None:
    socket_folder, pid = (user := house.start_user()).server()
    (socket_folder / ".s.PGSQL.5432").unlink()

    assert user.server_again()[1] != pid
    assert is_gone(pid)


def test_a_server_stopped_by_hand_starts_again(house: EmbeddedServer) -> None:
    _, pid = (user := house.start_user()).server()
    os.kill(pid, signal.SIGTERM)
    wait_until(lambda: is_gone(pid))

    assert user.server_again()[1] != pid
