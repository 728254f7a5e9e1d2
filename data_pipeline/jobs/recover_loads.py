"""The job `recover_loads`, which runs the management command of that name."""

from data_pipeline.services.handler import ServiceHandler


def entrypoint(argv: list[str], *, handler: ServiceHandler | None = None) -> int:
    """Run the command. It ends the process with its exit code if it fails."""
    return (handler or ServiceHandler()).run_command("recover_loads", argv)


JOB = (entrypoint, "Mark loads as failed whose process was killed.")
