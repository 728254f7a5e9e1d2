"""Loads a file of orders with `load_file`: python -m bench.probes.load_orders FILE [MODE]

The last line of the output has the CPU seconds without the start of Django, those of the server for the merge, and the
counts.
"""

import json
import sys
import time

import django

from bench.probes.backend_cpu import BACKEND_CPU


def main() -> None:
    django.setup()
    from data_pipeline import load_file
    from data_pipeline.postgres import merging

    merge, merge_cpu = merging.merge, list[float]()

    def measured_merge(database: str, facts: merging.Merge) -> merging.MergeResult:
        before = _backend_cpu(database)
        result = merge(database, facts)
        merge_cpu.append(_backend_cpu(database) - before)
        return result

    merging.merge = measured_merge
    path, mode = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "append"
    started_at = time.process_time()
    loaded = load_file(path, table="public.orders", mode=mode, force=True, max_reject_ratio=0.05)
    facts: dict[str, float] = {"inner_cpu": time.process_time() - started_at}
    if merge_cpu:
        facts["merge_cpu"] = merge_cpu[0]
    print(json.dumps(facts | {name: value for name, value in loaded.counts.as_columns().items() if value is not None}))


def _backend_cpu(database: str) -> float:
    from django.db import connections

    with connections[database].cursor() as cursor:
        cursor.execute(BACKEND_CPU)
        return float(cursor.fetchone()[0])


if __name__ == "__main__":
    main()
