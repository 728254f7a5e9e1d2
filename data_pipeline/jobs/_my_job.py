"""The job `my_job`: replace this with what it does."""

import sys

from data_pipeline.services.handler import ServiceHandler
from data_pipeline.services.job_output import job_parser


def entrypoint(argv: list[str], *, handler: ServiceHandler | None = None) -> int:
    """Parse the arguments and run the job. Return the exit code.

    A test passes its own handler.
    """
    parser = job_parser("my_job", JOB[1])
    parser.add_argument("--agency-id", type=int, required=True, help="id of the agency to process")
    parser.add_argument("--dry-run", action="store_true", help="print what would be done, without doing it")
    options = parser.parse_args(argv)
    return _run(handler or ServiceHandler(), agency_id=options.agency_id, dry_run=options.dry_run)


def _run(handler: ServiceHandler, *, agency_id: int, dry_run: bool) -> int:
    """Call one service with what the handler provides, and print its result. Rules belong into the service."""
    day = handler.clock().date()
    if dry_run:
        sys.stdout.write(f"Would process agency {agency_id} as of {day}.\n")
        return 0
    handler.start_django()  # from here on, services can use the database
    sys.stdout.write(f"Agency {agency_id} as of {day}: the job calls no service yet.\n")
    return 1  # 0 success, 1 failure, 2 a wrong request


JOB = (entrypoint, "Replace this with one sentence that the list of jobs shows.")
