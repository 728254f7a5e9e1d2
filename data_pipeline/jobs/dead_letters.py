"""The job `dead_letters`, which runs the management command of that name."""

from data_pipeline.services.handler import ServiceHandler


def entrypoint(argv: list[str], *, handler: ServiceHandler | None = None) -> int:
    """Run the command. It ends the process with its exit code if it fails."""
    return (handler or ServiceHandler()).run_command("dead_letters", argv)


JOB = (entrypoint, "List the files and objects whose load failed, or replay them.")
