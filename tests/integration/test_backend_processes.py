"""The process of the backend that we talk to, where it provably is one of this machine."""

import os
import socket
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.db import connection

from seeder.domain.refresh_costs import ProcessCost, cpu_time_delta
from seeder.postgres import backend_processes, sessions, transactions
from seeder.postgres.backend_processes import BackendProcess, ProcessSampler
from tests.conftest import sql
from tests.server_proxy import proxy_to_server

pytestmark = pytest.mark.usefixtures("bare_database")

HOST = str(connection.settings_dict["HOST"] or "/")  # the embedded server's is a socket of this machine
if not (HOST.startswith(("/", "127.")) or HOST in {"localhost", "::1"}):
    pytest.skip("the server runs on another machine", allow_module_level=True)


def own() -> BackendProcess:
    process = backend_processes.find_backend_process("default")
    assert process
    return process


def cost(process: BackendProcess) -> ProcessCost:
    cost = process.cost()
    assert cost
    return cost


def test_the_backend_of_our_connection_is_a_process_here() -> None:
    assert [(own().pid,)] == sql("SELECT pg_backend_pid()")
    assert own() == own()


def test_what_it_computes_costs_processor_time() -> None:
    process = own()
    before = cost(process)
    sql("SELECT count(*) FROM generate_series(1, 300000) AS n WHERE n % 7 = 3")
    spent = cpu_time_delta(before, cost(process))
    assert spent
    assert timedelta(milliseconds=5) < spent < timedelta(minutes=1)
    # It waits for nothing but us, so it cannot have been at it for longer than it has been there.
    assert before.cpu_time < timedelta(minutes=1)


def test_what_it_sorts_is_memory_of_its_own_and_what_it_reads_of_the_shared_buffers_is_not() -> None:
    watch = ProcessSampler()
    sql("CREATE TABLE public.much AS SELECT repeat('a', 1000) AS t FROM generate_series(1, 20000)")
    try:
        with watch.track(own()) as watched:
            assert watched.peak_memory_bytes
            small = watched.peak_memory_bytes
            sql("SELECT count(t) FROM public.much")  # 20 MB of shared buffers
            watch.sample_all()
            assert watched.peak_memory_bytes < small + 10_000_000
            with transactions.durable_transaction("default"):
                sql("SET LOCAL work_mem = '64MB'")
                sql("DECLARE sorted CURSOR FOR SELECT t || random()::text AS t FROM public.much ORDER BY 1")
                sql("FETCH 1 FROM sorted")
                watch.sample_all()
        assert watched.peak_memory_bytes > small + 20_000_000
    finally:
        sql("DROP TABLE public.much")


def test_nobody_s_memory_is_no_memory() -> None:
    with ProcessSampler().track(None) as watched:
        watched.sample()
    assert watched.peak_memory_bytes is None


def test_a_process_that_has_ended_says_nothing_even_if_another_one_has_its_pid() -> None:
    process = own()
    assert BackendProcess(pid=process.pid, started_ticks=process.started_ticks - 1).cost() is None
    assert (
        BackendProcess(pid=2**22 + 1, started_ticks=process.started_ticks).cost() is None
    )  # more than Linux ever gives


@pytest.mark.parametrize("by_socket", [True, False])
def test_behind_a_tunnel_or_a_pooler_no_process_is_taken_for_the_backend(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, by_socket: bool
) -> None:
    server = connection.get_connection_params()
    with proxy_to_server(tmp_path if by_socket else None) as (host, port):
        connection.close()
        monkeypatch.setattr(connection, "get_connection_params", lambda: {**server, "host": host, "port": port})
        assert sql("SELECT 1") == [(1,)]
        assert backend_processes.find_backend_process("default") is None
        connection.close()


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Callable[..., BackendProcess | None]:
    """What we make of a server that tells something else of itself, and of the same connection."""
    [facts] = sessions.query("default", "backend_identity")
    real = sessions.driver_connection("default")

    def own(place: int, value: object, *, pooled: bool = False) -> BackendProcess | None:
        answer = [value if at == place else fact for at, fact in enumerate(facts)]
        info = SimpleNamespace(backend_pid=real.info.backend_pid if pooled else answer[0])
        raw = SimpleNamespace(info=info, fileno=real.fileno)
        with monkeypatch.context() as patch:
            patch.setattr(sessions, "query", lambda *_: [tuple(answer)])
            patch.setattr(sessions, "driver_connection", lambda _: raw)
            return backend_processes.find_backend_process("default")

    return own


def test_another_host_s_pid_that_is_some_process_here_is_not_the_backend(
    told: Callable[..., BackendProcess | None],
) -> None:
    assert told(9, "nothing else")
    assert told(0, os.getpid()) is None
    assert told(0, 1) is None
    assert told(0, 2**22 + 1) is None


def test_another_host_s_pid_that_is_some_other_server_s_backend_here_is_not_ours(
    told: Callable[..., BackendProcess | None],
) -> None:
    [(age,)] = sql(
        "SELECT extract(epoch FROM clock_timestamp() - backend_start)::float FROM pg_stat_activity"
        " WHERE pid = pg_backend_pid()"
    )
    assert told(1, age - 1.5) is None  # the pid was somebody else's before
    assert told(1, age + 3600) is None
    [(checkpointer,)] = sql("SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer'")
    assert told(0, checkpointer) is None  # a process of PostgreSQL, but as old as the server


def test_a_client_whose_end_is_not_ours_is_not_us(told: Callable[..., BackendProcess | None]) -> None:
    assert told(2, "10.1.2.3") is None
    if not HOST.startswith("/"):
        assert told(3, 1) is None


def test_a_pid_that_a_pooler_made_up_is_not_the_backend_s(told: Callable[..., BackendProcess | None]) -> None:
    assert told(0, os.getpid(), pooled=True) is None


def test_a_backend_in_a_container_counts_pids_otherwise(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    process = own()
    here = tmp_path / str(process.pid)
    here.mkdir()
    (tmp_path / "self").symlink_to(str(os.getpid()))
    (here / "stat").write_text(Path(f"/proc/{process.pid}/stat").read_text())
    monkeypatch.setattr(backend_processes, "_PROC", tmp_path)
    (here / "status").write_text(f"Name:\tpostgres\nNSpid:\t{process.pid}\n")
    assert backend_processes.find_backend_process("default") == process
    (here / "status").write_text(f"Name:\tpostgres\nNSpid:\t{process.pid}\t17\n")
    assert backend_processes.find_backend_process("default") is None
    (here / "status").write_text("Name:\tpostgres\n")  # a kernel without such containers
    assert backend_processes.find_backend_process("default") == process
    (tmp_path / "self").unlink()
    (tmp_path / "self").symlink_to("1")  # somebody else's /proc
    assert backend_processes.find_backend_process("default") is None


def test_a_name_may_hold_anything(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(backend_processes, "_PROC", tmp_path)
    (tmp_path / "7").mkdir()
    (tmp_path / "7" / "stat").write_text("7 (a) S 1 (b) S 3" + " 0" * 17 + " 70 0 0")
    assert backend_processes._status(7) == ("a) S 1 (b", 3, 70)


def test_a_system_that_cannot_prove_it_has_no_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(socket, "SO_PEERCRED")
    assert backend_processes.find_backend_process("default") is None
