"""Loads one file: `python -m data_pipeline.load_csv --source URI --table auto`."""

import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the job `load_file` with these arguments. Return its exit code."""
    from data_pipeline.cli.main import main as run_console

    given = list(sys.argv[1:] if arguments is None else arguments)
    if "--source" in given[:-1]:
        at = given.index("--source")
        given = [*given[:at], *given[at + 2 :], given[at + 1]]
    return run_console(["run", "load_file", "--", *given])


if __name__ == "__main__":
    sys.exit(main())
