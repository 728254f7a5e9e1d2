"""The job `refresh_fees`, which runs the management command of that name."""

from data_pipeline.services.handler import ServiceHandler


def entrypoint(argv: list[str], *, handler: ServiceHandler | None = None) -> int:
    """Run the command. It ends the process with its exit code if it fails."""
    return (handler or ServiceHandler()).run_command("refresh_fees", argv)


JOB = (entrypoint, "Load the fees of articles from an API, each set of ids exactly once.")
