"""What planning costs, by the number of manifests: python -m bench.probes.time_planning COUNT

First as before a platform's first run, when every query has to be compared with the view that it is to have made; then
as every night, when that is remembered; then once more, not timed, for the memory. Parts of the nightly plan are told
apart by timing the functions that it is made of.
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
    from seeder.postgres import catalog
    from seeder.services import manifest_selection, run_history
    from seeder.services.run import planning

    parts: dict[str, float] = {}
    selection = _timing(manifest_selection.select, parts)(AllReports(), databases={})
    selection = Selection(views=selection.views[:count])
    ViewDefinition.objects.all().delete()
    first, plan = _measured(lambda: planning.build(selection, save_confirmed=True))
    for owner, names in ((planning, ("build_plan",)), (catalog, ("survey",)), (run_history, _HISTORY)):
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


def _measured(act: Callable[[], Result]) -> tuple[float, Result]:
    began = monotonic()
    done = act()
    return monotonic() - began, done


def _timing(function: Callable[..., Any], parts: dict[str, float]) -> Callable[..., Any]:
    def timed(*arguments: Any, **named: Any) -> Any:
        seconds, done = _measured(lambda: function(*arguments, **named))
        parts[function.__name__] = parts.get(function.__name__, 0.0) + seconds
        return done

    return timed


def _memory(act: Callable[[], object]) -> int:
    """The most bytes that Python's objects had meanwhile. What the process has would not do: it never gives back what
    loading the manifests took."""
    tracemalloc.start()
    act()
    return tracemalloc.get_traced_memory()[1]


if __name__ == "__main__":
    main()
