import subprocess
import sys
from contextlib import ExitStack

from tests.conftest import CHECKOUT

_PRINT_PORTS = "from tests.ports import free_port; print(free_port(), free_port(), flush=True); input()"


def test_processes_get_different_ports_below_the_ephemeral_ones() -> None:
    with ExitStack() as stack:
        processes = [
            stack.enter_context(
                subprocess.Popen(
                    [sys.executable, "-c", _PRINT_PORTS], cwd=CHECKOUT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
                )
            )
            for _ in range(3)
        ]
        printed = [process.stdout.readline() for process in processes if process.stdout]
        ports = [int(port) for line in printed for port in line.split()]
        for process in processes:
            process.communicate(b"\n")
    assert len(set(ports)) == 6
    assert all(20_000 < port < 32_000 for port in ports)
