"""The console script `data-pipeline-get-s3-files`: the job `get_s3_files` with these arguments."""

import sys
from collections.abc import Sequence

from data_pipeline.cli.main import main as run_console


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the job. Return its exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    return run_console(["run", "get_s3_files", "--", *given])


if __name__ == "__main__":
    sys.exit(main())
