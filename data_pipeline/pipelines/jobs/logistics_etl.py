"""The job `logistics_etl`, which runs the management command of that name."""

from data_pipeline.services.handler import ServiceHandler


def entrypoint(argv: list[str], *, handler: ServiceHandler | None = None) -> int:
    """Run the command. It ends the process with its exit code if it fails."""
    return (handler or ServiceHandler()).run_command("logistics_etl", argv)


JOB = (entrypoint, "Load the current snapshot of freight rates from an API, each snapshot exactly once.")
