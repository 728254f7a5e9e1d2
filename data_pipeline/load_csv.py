"""Loads files: `python -m data_pipeline.load_csv --source URI --table auto`."""

import sys
from collections.abc import Sequence

from seeder.console_script import OneLineErrorParser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the job `load_file` with these arguments. Return its exit code."""
    from data_pipeline.cli.main import main as run_console

    parser = OneLineErrorParser(prog="python -m data_pipeline.load_csv", add_help=False, allow_abbrev=False)
    parser.add_argument("--source", action="append", default=[])  # the file, which the command takes by position
    options, others = parser.parse_known_args(arguments)
    return run_console(["run", "load_file", "--", *others, *options.source])


if __name__ == "__main__":
    sys.exit(main())
