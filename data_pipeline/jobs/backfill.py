"""The job `backfill`, which runs the management command of that name."""

from data_pipeline.services.handler import ServiceHandler


def entrypoint(argv: list[str], *, handler: ServiceHandler | None = None) -> int:
    """Run the command. It ends the process with its exit code if it fails."""
    return (handler or ServiceHandler()).run_command("backfill", argv)


JOB = (entrypoint, "Load the daily files of a period, each one exactly once.")
