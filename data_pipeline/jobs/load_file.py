"""The job `load_file`, which runs the management command of that name."""

from data_pipeline.services.handler import ServiceHandler


def entrypoint(argv: list[str], *, handler: ServiceHandler | None = None) -> int:
    """Run the command. It ends the process with its exit code if it fails."""
    return (handler or ServiceHandler()).run_command("load_file", argv)


JOB = (entrypoint, "Load files into a table, each one exactly once.")
