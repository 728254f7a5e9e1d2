"""The operating system's process of a backend on this machine."""

import os
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.db.transaction import atomic

from seeder.postgres import backend_cpu_and_memory, sessions
from seeder.postgres.backend_cpu_and_memory import ProcessId, ProcessMeter
from seeder.postgres.named_statements import STATEMENTS
from tests.conftest import sql
from tests.server_proxy import proxy_to_server

pytestmark = pytest.mark.usefixtures("bare_database")

HOST = str(connection.settings_dict["HOST"] or "/")  # the embedded server uses a socket of this machine
if not (HOST.startswith(("/", "127.")) or HOST in {"localhost", "::1"}):
    pytest.skip("the server runs on another machine", allow_module_level=True)


def find() -> ProcessId:
    process = backend_cpu_and_memory.find_backend_process("default")
    assert process
    return process


def test_backend_on_this_machine_is_found() -> None:
    assert [(find().pid,)] == sql("SELECT pg_backend_pid()")
    assert backend_cpu_and_memory.backend_process("default") == find()


def test_backend_behind_local_proxy_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    server = connection.get_connection_params()
    with proxy_to_server(None) as (host, port):
        connection.close()
        monkeypatch.setattr(connection, "get_connection_params", lambda: {**server, "host": host, "port": port})
        assert [(find().pid,)] == sql("SELECT pg_backend_pid()")
        connection.close()


def test_computation_costs_cpu_time() -> None:
    meter = ProcessMeter(find())
    sql("SELECT count(*) FROM generate_series(1, 300000) AS n WHERE n % 7 = 3")
    spent = meter.sample()
    assert spent
    assert timedelta(milliseconds=5) < spent < timedelta(minutes=1)


def test_sort_memory_counts_and_shared_buffers_do_not() -> None:
    sql("CREATE TABLE public.much AS SELECT repeat('a', 1000) AS t FROM generate_series(1, 30000)")
    try:
        meter = ProcessMeter(find())
        assert meter.peak_memory_bytes
        memory_before = meter.peak_memory_bytes
        sql("SELECT count(t) FROM public.much")  # 30 MB of shared buffers
        meter.sample()
        assert meter.peak_memory_bytes < memory_before + 10_000_000
        with atomic(durable=True):
            sql("SET LOCAL work_mem = '64MB'")
            sql("DECLARE sorted CURSOR FOR SELECT t || random()::text AS t FROM public.much ORDER BY 1")
            sql("FETCH 1 FROM sorted")
            meter.sample()
        assert meter.peak_memory_bytes > memory_before + 20_000_000
    finally:
        sql("DROP TABLE public.much")


def test_meter_without_process_measures_nothing() -> None:
    meter = ProcessMeter(None)
    assert (meter.sample(), meter.peak_memory_bytes) == (None, None)


def test_ended_process_has_no_cpu_time_even_if_its_pid_is_reused() -> None:
    process = find()
    for other in (process._replace(start_ticks=process.start_ticks - 1), process._replace(pid=2**22 + 1)):
        meter = ProcessMeter(other)
        assert (meter.sample(), meter.peak_memory_bytes) == (None, None)


@pytest.fixture
def find_with_answer(monkeypatch: pytest.MonkeyPatch) -> Callable[[int, float], ProcessId | None]:
    """Return a function that finds the backend with a given answer."""

    def find_backend(pid: int, age: float) -> ProcessId | None:
        with monkeypatch.context() as patch:
            patch.setattr(sessions, "query", lambda *_: [(pid, age)])
            patch.setattr(sessions.driver_connection("default").info.__class__, "backend_pid", pid)
            return backend_cpu_and_memory.find_backend_process("default")

    return find_backend


def test_pid_of_another_process_is_no_backend(find_with_answer: Callable[[int, float], ProcessId | None]) -> None:
    [(pid, age)] = sessions.query("default", STATEMENTS["backend_identity"])
    assert find_with_answer(pid, age)
    assert find_with_answer(os.getpid(), age) is None
    assert find_with_answer(1, age) is None
    assert find_with_answer(2**22 + 1, age) is None  # above the largest pid of Linux


def test_backend_of_another_age_is_not_ours(find_with_answer: Callable[[int, float], ProcessId | None]) -> None:
    [(pid, age)] = sessions.query("default", STATEMENTS["backend_identity"])
    assert find_with_answer(pid, age - 1.5) is None
    assert find_with_answer(pid, age + 3600) is None
    [(checkpointer,)] = sql("SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer'")
    assert find_with_answer(checkpointer, age) is None


def test_pid_reported_by_pooler_is_no_backend(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions.driver_connection("default").info.__class__, "backend_pid", os.getpid())
    assert backend_cpu_and_memory.find_backend_process("default") is None


def test_process_name_with_parentheses_is_parsed(tmp_path: Path) -> None:
    (tmp_path / "stat").write_text("7 (a) S 1 (b) S 3" + " 0" * 17 + " 70 0 0")
    assert backend_cpu_and_memory._name_and_start(tmp_path) == (b"a) S 1 (b", 70)


def test_other_systems_have_no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert backend_cpu_and_memory.find_backend_process("default") is None
