"""The job `import_prices`, which runs the management command of that name."""

from data_pipeline.services.handler import ServiceHandler


def entrypoint(argv: list[str], *, handler: ServiceHandler | None = None) -> int:
    """Run the command. It ends the process with its exit code if it fails."""
    return (handler or ServiceHandler()).run_command("import_prices", argv)


JOB = (entrypoint, "Load a vendor's price list, each version of the file exactly once.")
