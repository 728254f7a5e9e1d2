"""The cost of data checks: python -m bench.probes.time_data_checks ROUNDS INDEXES

Plain refreshes of one view take turns in one session: without checks, with one that only counts rows, with ten that one
scan answers, and with two more that need statements of their own. The checks are run by the app's code. Their time is
measured alone, because that of a commit varies more than they take.
"""

import json
import sys
from collections.abc import Sequence
from statistics import median
from time import perf_counter
from typing import Any

import django

from bench.workloads.checked_view import INDEXED, VIEW

CHECKS: Sequence[tuple[str, dict[str, Any]]] = (
    ("row_count", {"min": 1, "max": 1_000_000_000}),
    ("not_null", {"column": "id"}),
    ("not_null", {"column": "agency"}),
    ("not_null", {"column": "status"}),
    ("not_null", {"column": "day"}),
    ("accepted_values", {"column": "status", "values": ["open", "done", "held"]}),
    ("range", {"column": "amount", "min": 0, "max": 1000}),
    ("freshness", {"column": "at", "max_age_hours": 1_000_000}),
    ("condition", {"expression": "a < 7"}),
    ("condition", {"expression": "b < 11 AND amount >= 0"}),
)
WITH_OWN_STATEMENTS = (
    ("unique", {"columns": ["id"]}),
    ("query", {"query": f"SELECT id FROM reporting.{VIEW} WHERE amount > 1000000"}),
)


def main() -> None:
    rounds, with_indexes = int(sys.argv[1]), sys.argv[2] == INDEXED
    django.setup()
    from seeder.domain.data_checks.results import CheckOutcome, DataCheck
    from seeder.domain.data_checks.rules import parse_rule
    from seeder.domain.manifests import ViewKey
    from seeder.domain.view_names import ViewName
    from seeder.postgres import sessions, transactions, view_statements
    from seeder.services.data_checks.check_run import CheckLimits, CheckRun

    name = ViewName(schema="reporting", name=VIEW)
    key = ViewKey(database="default", name=name)
    refresh, limits = view_statements.refresh_materialized_view(name), CheckLimits(timeout_ms=60_000, samples=5)

    def checks(definitions: Sequence[tuple[str, dict[str, Any]]]) -> list[DataCheck]:
        rules = [parse_rule(*definition) for definition in definitions]
        return [DataCheck(name=f"check {number}", rule=rule) for number, rule in enumerate(rules)]

    if with_indexes:
        sessions.query("default", "CREATE UNIQUE INDEX ON reporting.checked (id)")
        sessions.query("default", "CREATE INDEX ON reporting.checked (agency, day)")
    contenders = {
        "count": checks(CHECKS[:1]),
        "ten": checks(CHECKS),
        "twelve": checks((*CHECKS, *WITH_OWN_STATEMENTS)),
    }
    durations: dict[str, list[float]] = {contender: [] for contender in ("refresh", *contenders)}
    for number in range(rounds + 1):  # the first is not measured
        for contender, chosen in contenders.items():
            checked, started = 0.0, perf_counter()
            with transactions.BatchedTransaction("default") as transaction:
                transaction.begin(["SELECT;"], {})
                sessions.query("default", refresh)
                refreshed = perf_counter()
                run = CheckRun(key, chosen, limits, baselines=None, is_stopped=lambda: False)  # type: ignore[arg-type]  # no check needs one
                if any(result.outcome is not CheckOutcome.PASSED for result in run.results()):
                    raise SystemExit("a check did not pass, so its time says nothing")
                checked = perf_counter() - refreshed
            if number:
                durations[contender].append(checked * 1000)
                durations["refresh"].append((perf_counter() - started - checked) * 1000)
    print(json.dumps({contender: median(measured) for contender, measured in durations.items()}))


if __name__ == "__main__":
    main()
