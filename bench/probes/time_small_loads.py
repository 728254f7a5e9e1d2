"""The times of loads of a small file: python -m bench.probes.time_small_loads FILE COUNT

The time from the commit of a load to its committed refresh request is that of `refresh_after`: of the first load of
the process, and of later ones. A known file is one that was loaded before, so that it is skipped.
"""

import json
import sys
from collections.abc import Callable
from time import monotonic
from typing import Any

import django

_REQUEST = "refresh_after"  # what a load calls after its commit


def main() -> None:
    path, count = sys.argv[1], int(sys.argv[2])
    django.setup()
    from data_pipeline import load_file
    from data_pipeline.domain.refresh_dispatches import RefreshOutcome
    from data_pipeline.services import process_once
    from seeder.models import QueuedRefresh

    requests: list[float] = []
    setattr(process_once, _REQUEST, _timing(getattr(process_once, _REQUEST), requests))
    for _ in range(count + 1):
        QueuedRefresh.objects.all().update(state="ended")  # a queued request would be joined
        loaded = load_file(path, table="public.orders", mode="replace", force=True)
        if loaded.refresh is None or loaded.refresh.outcome is not RefreshOutcome.QUEUED:
            sys.exit(f"no refresh was queued: {loaded.refresh}")
    load_file(path, table="public.orders", mode="replace")
    known: list[float] = []
    for _ in range(count):
        _timing(load_file, known)(path, table="public.orders", mode="replace")
    print(json.dumps({"views": len(loaded.refresh.views), "first": requests[0], "later": requests[1:], "known": known}))


def _timing(function: Callable[..., Any], seconds: list[float]) -> Callable[..., Any]:
    def timed(*arguments: Any, **keywords: Any) -> Any:
        started_at = monotonic()
        result = function(*arguments, **keywords)
        seconds.append(monotonic() - started_at)
        return result

    return timed


if __name__ == "__main__":
    main()
