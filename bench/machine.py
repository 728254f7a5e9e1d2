"""The machine of a report."""

import os
import platform
from pathlib import Path


def machine() -> str:
    """Describe the machine in one line."""
    kinds = [line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{os.cpu_count()} × {kinds[0] if kinds else platform.machine()}, {memory:.0f} GiB, Linux {platform.release()}"
    )


def _lines(path: str) -> list[str]:
    file = Path(path)
    return file.read_text().splitlines() if file.exists() else []
