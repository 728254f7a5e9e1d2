"""Wherever the checkout lies, whoever owns it."""

import os
import shutil
import stat
import subprocess
import tempfile
from pathlib import Path

import psutil
import pytest

from embedded import binaries
from embedded.server import psql_program
from embedded.server_folder import resolve_server_folder
from tests.embedded.server_processes import CHECKOUT, IS_ROOT, EmbeddedServer, wait_until

SYSTEM = subprocess.run(
    [CHECKOUT / "requirements" / "postgres"], capture_output=True, text=True, check=True
).stdout.strip()
_CAP_DAC_OVERRIDE, _CAP_DAC_READ_SEARCH = 1 << 1, 1 << 2


def test_a_path_too_long_for_a_socket_gets_one_elsewhere(tmp_path: Path, template: Path) -> None:
    with EmbeddedServer(tmp_path / ("long" * 30) / "postgres").copied_from(template) as house:
        socket_folder, _ = house.start_user().server()

        assert house.folder not in (socket_folder, *socket_folder.parents)
        assert stat.S_IMODE(socket_folder.stat().st_mode) == 0o700
        house.connect().close()
    assert not socket_folder.exists()


@pytest.mark.parametrize("name", ["a space, a comma", """it's "quoted" \\ ü"""])
def test_any_name_will_do(tmp_path: Path, name: str, template: Path) -> None:
    with EmbeddedServer(tmp_path / name).copied_from(template) as house:
        house.start_user().server()

        line = house.server().psql(program=psql_program())
        asked = subprocess.run(
            ["/bin/sh", "-c", f"{line} -Atc 'SELECT 42'"], capture_output=True, text=True, check=True
        )
        assert asked.stdout == "42\n"


@pytest.mark.skipif(IS_ROOT, reason="root runs it as somebody else")
def test_the_server_runs_as_whoever_needs_it(house: EmbeddedServer) -> None:
    _, pid = house.start_user().server()

    assert psutil.Process(pid).uids().real == os.geteuid()


@pytest.mark.skipif(not IS_ROOT, reason="only root can close a folder to the server")
def test_behind_a_closed_door_the_server_gets_one_capability_and_the_door_stays_closed(
    tmp_path: Path, template: Path
) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    with EmbeddedServer(closed / "var" / "postgres").copied_from(template) as house:
        _, pid = house.start_user().server()

        assert psutil.Process(pid).uids().real == resolve_server_folder(house.folder).account.uid != 0
        assert _ambient(pid) in (_CAP_DAC_READ_SEARCH, _CAP_DAC_OVERRIDE)
        assert (stat.S_IMODE(closed.stat().st_mode), closed.stat().st_uid) == (0o700, 0)
        house.connect().close()


@pytest.mark.skipif(not IS_ROOT, reason="only root has capabilities to give")
def test_behind_open_doors_the_server_gets_no_capability(template: Path) -> None:
    open_to_all = Path(tempfile.mkdtemp())
    open_to_all.chmod(0o755)
    try:
        with EmbeddedServer(open_to_all / "var" / "postgres").copied_from(template) as house:
            _, pid = house.start_user().server()

            binaries = Path(psutil.Process(pid).exe()).parents
            expected = 0 if all(path.stat().st_mode & 0o001 for path in binaries) else _CAP_DAC_READ_SEARCH
            assert _ambient(pid) == expected
    finally:
        shutil.rmtree(open_to_all)


@pytest.mark.skipif(not IS_ROOT, reason="only root works in other people's folders")
def test_for_root_the_server_belongs_to_the_owner_of_the_checkout(tmp_path: Path) -> None:
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    shutil.chown(checkout, user="daemon")
    with EmbeddedServer(checkout / "var" / "postgres") as house:
        _, pid = house.start_user().server()

        assert psutil.Process(pid).username() == "daemon"
        assert {path.owner() for path in checkout.rglob("*")} == {"daemon"}


def test_a_socket_folder_laid_out_by_somebody_else_is_refused(tmp_path: Path, template: Path) -> None:
    with EmbeddedServer(tmp_path / ("long" * 30) / "postgres").copied_from(template) as house:
        trap = resolve_server_folder(house.folder).socket_folder()
        trap.symlink_to(tmp_path)
        try:
            assert "belongs to the account" in house.start_user().finish().err
        finally:
            trap.unlink()
        wait_until(lambda: not house.processes())


def _ambient(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1], 16) for line in lines if line.startswith("CapAmb:"))


@pytest.mark.skipif(not SYSTEM, reason="no PostgreSQL from 15 to 18 is installed here")
def test_another_postgresql_is_run_where_the_environment_names_one(fresh: EmbeddedServer) -> None:
    fresh.start_user(environment={**os.environ, binaries.FOLDER_VARIABLE: SYSTEM}).server()

    with fresh.connect() as session:
        [version] = session.execute("SHOW server_version").fetchone() or [""]
    installed = subprocess.run([f"{SYSTEM}/postgres", "--version"], capture_output=True, text=True, check=True).stdout
    assert version.split()[0] == installed.split()[2]
    assert stat.S_IMODE(fresh.folder.stat().st_mode) == 0o700, "nobody else gets as far as its socket"


def test_a_folder_without_the_programs_is_refused_in_one_line(fresh: EmbeddedServer, tmp_path: Path) -> None:
    ended = fresh.start_user(environment={**os.environ, binaries.FOLDER_VARIABLE: str(tmp_path)}).finish()

    assert f"EMBEDDED_POSTGRES names {tmp_path}, where there is no program `postgres`" in ended.err
    assert not (fresh.folder / "data").exists()
