"""The job `get_s3_files`: transforms the objects of an agency from bronze to silver."""

import argparse

from data_pipeline.services.handler import ServiceHandler
from data_pipeline.services.job_output import job_parser

NAME = "get_s3_files"


def entrypoint(argv: list[str], *, handler: ServiceHandler | None = None) -> int:
    """Parse the arguments and run the job. Return 0, or 1 if an object failed."""
    options = build_parser().parse_args(argv)
    from data_pipeline.services.silver.job_run import run_job  # imports the client of object storage

    return run_job(handler or ServiceHandler(), options)


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the job's arguments."""
    parser = job_parser(NAME, JOB[1])
    add = parser.add_argument
    add("--agency-id", metavar="ID", required=True, help="agency whose objects are transformed")
    add("--source-bucket", metavar="BUCKET", help="bucket to read (default: DATA_PIPELINE_SOURCE_BUCKET)")
    add("--destination-bucket", metavar="BUCKET", help="bucket to write (default: DATA_PIPELINE_DESTINATION_BUCKET)")
    add("--prefix", default="", help="only objects whose keys continue with this, after SOURCE_KEY_TEMPLATE")
    add("--dialect", metavar="NAME", help="name of a dialect, or path of its .toml file (default: by each header)")
    add("--limit", metavar="N", type=_positive, help="maximum number of objects (default: all)")
    add("--force", action="store_true", help="also transform objects that are finished")
    add("--scatter", action="store_true", help="queue one task for each object, for the workers of the queue")
    add("--dry-run", action="store_true", help="list the objects that would be transformed, and read none of them")
    add("--json", action="store_true", help="print one JSON document and nothing else")
    return parser


def _positive(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        raise argparse.ArgumentTypeError(f"must be a whole number of at least 1, not {text!r}")
    return int(text)


JOB = (entrypoint, "Transform the objects of an agency from bronze to silver.")
