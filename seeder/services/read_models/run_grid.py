"""The grid of the latest runs and the listed views."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from seeder.domain.monitoring.nights import Round
from seeder.domain.monitoring.report_jobs import Job
from seeder.domain.monitoring.run_grid import ABSENT, Cell, cell_state, choose_columns
from seeder.domain.outcomes import Status
from seeder.postgres import monitoring_queries
from seeder.postgres.contract import OptionalTables


@dataclass(frozen=True, kw_only=True, slots=True)
class RunGrid:
    """Columns of runs, and a row of cells for each view."""

    columns: Sequence[Round] = ()  # earliest first
    rows: Mapping[str, Sequence[Cell]]  # by table name


def read_grid(
    jobs: Sequence[Job], rounds: Sequence[Round], agencies: list[str] | None, tables: OptionalTables
) -> RunGrid:
    """Return the cells of these jobs, as far as manifests of these agencies (None: all) were refreshed."""
    columns = choose_columns(rounds)
    rows = {job.table_name: [ABSENT] * len(columns) for job in jobs}
    if not (columns and rows):
        return RunGrid(columns=columns, rows=rows)
    living = {run.run_id for column in columns for run in column.runs if run.is_running}
    has_metrics = tables.is_usable("seeder_run_metrics")
    for found in monitoring_queries.grid_cells([*rows], columns, agencies, has_metrics=has_metrics):
        state = cell_state(
            Status(found["status"]),
            reason=found["reason"],
            is_interrupted=found["is_interrupted"],
            is_run_alive=found["run_id"] in living,
        )
        rows[found["table_name"]][found["number"]] = Cell(
            state=state, started_at=found["start_time"], finished_at=found["finish_time"], reason=found["reason"]
        )
    return RunGrid(columns=columns, rows=rows)
