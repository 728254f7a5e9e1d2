"""Runs a command and writes its time and memory: python -I -S launcher.py FACTS LOG COMMAND…

It is a separate process because the kernel counts the memory of a parent as that of the program it starts; this process
is smaller than any measured one. CPU time includes the children that the command has waited for. Memory is that of the
largest process.
"""

import json
import os
import sys
import time


def main() -> None:
    facts, log, command = sys.argv[1], sys.argv[2], sys.argv[3:]
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    started_at = time.monotonic()
    to_output = [(os.POSIX_SPAWN_DUP2, output, 1), (os.POSIX_SPAWN_DUP2, output, 2)]
    pid = os.posix_spawnp(command[0], command, os.environ, file_actions=to_output)
    _, status, usage = os.wait4(pid, 0)
    seconds = time.monotonic() - started_at
    with open(facts, "w") as file:  # noqa: PTH123  # importing pathlib would cost memory and time
        json.dump(
            {
                "seconds": seconds,
                "cpu": usage.ru_utime + usage.ru_stime,
                "memory": usage.ru_maxrss * 1024,
                "code": os.waitstatus_to_exitcode(status),
            },
            file,
        )


if __name__ == "__main__":
    main()
