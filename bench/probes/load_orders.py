"""Loads a file of orders with `load_file`: python -m bench.probes.load_orders FILE [MODE]

The last line of the output has the CPU seconds without the start of Django, and the counts.
"""

import json
import sys
import time

import django


def main() -> None:
    django.setup()
    from data_pipeline import load_file

    path, mode = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "append"
    started_at = time.process_time()
    loaded = load_file(path, table="public.orders", mode=mode, force=True, max_reject_ratio=0.05)
    counts = {name: value for name, value in loaded.counts.as_columns().items() if value is not None}
    print(json.dumps({"inner_cpu": time.process_time() - started_at, **counts}))


if __name__ == "__main__":
    main()
