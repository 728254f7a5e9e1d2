"""Copies a CSV file by the readers and writers of Python: python -m bench.probes.copy_csv FILE COPY

The last line of the output has the CPU seconds without the start of Python.
"""

import csv
import json
import sys
import time
from pathlib import Path


def main() -> None:
    started_at = time.process_time()
    with Path(sys.argv[1]).open(newline="") as source, Path(sys.argv[2]).open("w", newline="") as target:
        csv.writer(target).writerows(csv.reader(source))
    print(json.dumps({"inner_cpu": time.process_time() - started_at}))


if __name__ == "__main__":
    main()
