"""How long readers wait for a view with data checks: python -m bench.probes.time_reader_waits ROUNDS

Runs of the app refresh one view plainly, in turns: without checks, with twelve inside the refresh, and with the same
ones before it. Meanwhile a session reads the view again and again. The shortest of all longest waits counts, because
other load can only prolong them.
"""

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from time import perf_counter

import django
import psycopg
from django.conf import settings

from bench.probes.time_data_checks import CHECKS, WITH_OWN_STATEMENTS
from bench.workloads.checked_view import VIEW

# The budget decides whether checks run before a refresh, in milliseconds.
_CONTENDERS = {"none": 0, "inside": 1_000_000, "before": 0}
_PAUSE = 0.003  # seconds between two reads


def main() -> None:
    rounds = int(sys.argv[1])
    django.setup()
    from seeder.domain.outcomes import Outcome
    from seeder.domain.refresh_requests import AllReports
    from seeder.models import DataCheck
    from seeder.services.run import orchestrator

    waits: dict[str, list[float]] = {contender: [] for contender in _CONTENDERS}
    for number in range(rounds + 1):  # the first is not measured
        for contender, budget in _CONTENDERS.items():
            settings.SEEDER = {"READER_WAIT_BUDGET_MS": budget}
            DataCheck.objects.all().delete()
            if contender != "none":
                for position, (kind, arguments) in enumerate((*CHECKS, *WITH_OWN_STATEMENTS)):
                    DataCheck.objects.create(
                        table_name=f"reporting.{VIEW}", check_name=f"check {position}", kind=kind, arguments=arguments
                    )
            stop = Event()
            with ThreadPoolExecutor(1) as thread:
                longest = thread.submit(_longest_wait, stop)
                [result] = orchestrator.execute_run(AllReports()).results.values()
                stop.set()
                if number:
                    waits[contender].append(longest.result() * 1000)
            if result.outcome is not Outcome.REFRESHED:
                raise SystemExit(f"the view was not refreshed, so its time says nothing: {result.failure}")
    print(json.dumps({contender: min(measured) for contender, measured in waits.items()}))


def _longest_wait(stop: Event) -> float:
    """Read the view until the refresh has ended. Return the longest read in seconds."""
    longest = 0.0
    with psycopg.connect(autocommit=True) as reader:
        while not stop.is_set():
            started = perf_counter()
            reader.execute(f"SELECT id FROM reporting.{VIEW} LIMIT 1".encode())
            longest = max(longest, perf_counter() - started)
            stop.wait(_PAUSE)
    return longest


if __name__ == "__main__":
    main()
