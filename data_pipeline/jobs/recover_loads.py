"""The job `recover_loads`: marks loads as failed whose process was killed."""

import argparse
import json
import sys

from data_pipeline.services.handler import ServiceHandler

_NAME = "recover_loads"


def entrypoint(argv: list[str], *, handler: ServiceHandler | None = None) -> int:
    """Mark dead loads as failed and print their ids. Return 0."""
    parser = argparse.ArgumentParser(prog=f"data-pipeline run {_NAME}", description=JOB[1])
    parser.add_argument("--json", action="store_true", help="print one JSON document and nothing else")
    options = parser.parse_args(argv)
    load_ids = _recover(handler or ServiceHandler())
    if options.json:
        sys.stdout.write(json.dumps({"recovered": load_ids}) + "\n")
    elif load_ids:
        sys.stdout.writelines(
            f"load {load_id}: marked as failed, because its process had ended\n" for load_id in load_ids
        )
    else:
        sys.stdout.write("Nothing to recover: the process of each pending load is alive.\n")
    return 0


def _recover(handler: ServiceHandler) -> list[int]:
    handler.start_django()
    from data_pipeline.services.recovery import recover_loads

    return recover_loads(actor=_NAME, database=handler.database)


JOB = (entrypoint, "Mark loads as failed whose process was killed.")
