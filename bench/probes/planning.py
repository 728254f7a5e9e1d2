"""What planning costs, by the number of manifests: python -m bench.probes.planning COUNT

A process for each number, as the most memory that a process ever had is never given back. Parts of the plan are told
apart by timing the functions that it is made of.
"""

import json
import resource
import sys
from collections.abc import Callable
from time import monotonic
from typing import Any

import django


def main() -> None:
    count = int(sys.argv[1])
    django.setup()
    from django.db import connection

    from seeder.domain.manifests import Selection
    from seeder.domain.requests import Everything
    from seeder.postgres import catalog
    from seeder.services import history, manifests, planning

    connection.ensure_connection()
    parts: dict[str, float] = {}
    began = monotonic()
    selection = manifests.select(Everything(), databases={})
    parts["manifests"] = monotonic() - began
    selection = Selection(views=selection.views[:count])
    for owner, names in ((planning, ("draw_up",)), (catalog, ("survey",)), (history, _HISTORY)):
        for name in names:
            setattr(owner, name, _timed(getattr(owner, name), parts))
    before = _memory()
    began = monotonic()
    plan = planning.plan(selection)
    facts = {
        "views": len(plan.views),
        "reads": sum(len(view.reads) for view in plan.views),
        "seconds": monotonic() - began,
        "parts": parts,
        "before": before,
        "memory": _memory(),
    }
    print(json.dumps(facts))


_HISTORY = ("usual_durations", "failures_in_a_row")


def _timed(function: Callable[..., Any], parts: dict[str, float]) -> Callable[..., Any]:
    def timed(*arguments: Any, **named: Any) -> Any:
        began = monotonic()
        try:
            return function(*arguments, **named)
        finally:
            parts[function.__name__] = parts.get(function.__name__, 0.0) + monotonic() - began

    return timed


def _memory() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


if __name__ == "__main__":
    main()
