"""Loads a vendor's price list: `python -m data_pipeline.price_importer --file URI --vendor CODE`."""

import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the job `import_prices` with these arguments. Return its exit code."""
    from data_pipeline.cli.main import main as run_console

    return run_console(["run", "import_prices", "--", *(sys.argv[1:] if arguments is None else arguments)])


if __name__ == "__main__":
    sys.exit(main())
