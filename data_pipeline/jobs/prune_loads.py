"""The job `prune_loads`, which runs the management command of that name."""

from data_pipeline.services.handler import ServiceHandler


def entrypoint(argv: list[str], *, handler: ServiceHandler | None = None) -> int:
    """Run the command. It ends the process with its exit code if it fails."""
    return (handler or ServiceHandler()).run_command("prune_loads", argv)


JOB = (entrypoint, "Delete what is old of loads. Successful loads stay.")
