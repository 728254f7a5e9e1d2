"""The cost of planning, by the number of manifests: python -m bench.probes.time_planning COUNT

The first plan is that before a platform's first run, when every query is compared with the definition of its view. The
second plan is that of every night, when the comparison is cached. A third plan, not timed, measures memory. The parts
of the nightly plan are measured by timing the functions that it calls.
"""

import json
import sys
import tracemalloc
from collections.abc import Callable
from time import monotonic
from typing import Any, TypeVar

import django

Result = TypeVar("Result")


def main() -> None:
    count = int(sys.argv[1])
    django.setup()
    from seeder.domain.manifests import Selection
    from seeder.domain.refresh_requests import AllReports
    from seeder.models import ViewDefinition
    from seeder.postgres import view_survey
    from seeder.services import history_rows, manifest_selection
    from seeder.services.run import planning

    parts: dict[str, float] = {}
    selection = _timing(manifest_selection.select, parts)(AllReports(), databases={})
    selection = Selection(views=selection.views[:count])
    ViewDefinition.objects.all().delete()
    first, plan = _measured(lambda: planning.build(selection, save_confirmed=True))
    for owner, names in ((planning, ("build_plan",)), (view_survey, ("survey",)), (history_rows, _HISTORY)):
        for name in names:
            setattr(owner, name, _timing(getattr(owner, name), parts))
    seconds, plan = _measured(lambda: planning.build(selection))
    facts = {
        "views": len(plan.views),
        "reads": sum(len(view.depends_on) for view in plan.views),
        "first": first,
        "seconds": seconds,
        "parts": dict(parts),
        "memory": _memory(lambda: planning.build(selection)),
    }
    print(json.dumps(facts))


_HISTORY = ("past_refreshes",)


def _measured(function: Callable[[], Result]) -> tuple[float, Result]:
    started_at = monotonic()
    result = function()
    return monotonic() - started_at, result


def _timing(function: Callable[..., Any], parts: dict[str, float]) -> Callable[..., Any]:
    def timed(*arguments: Any, **keywords: Any) -> Any:
        seconds, result = _measured(lambda: function(*arguments, **keywords))
        parts[function.__name__] = parts.get(function.__name__, 0.0) + seconds
        return result

    return timed


def _memory(function: Callable[[], object]) -> int:
    """Return the peak memory of Python's objects during a call. The memory of the process would not do, because the
    process keeps the memory that loading the manifests needed.
    """
    tracemalloc.start()
    function()
    return tracemalloc.get_traced_memory()[1]


if __name__ == "__main__":
    main()
