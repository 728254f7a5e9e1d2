"""A run of the app without the command around it: python -m bench.contenders.in_process"""

import json
from time import monotonic

import django


def main() -> None:
    django.setup()
    from seeder.domain.refresh_requests import AllReports
    from seeder.services.run import orchestrator

    started_at = monotonic()
    summary = orchestrator.execute_run(AllReports())
    print(json.dumps({"inner": monotonic() - started_at, "failed": summary.failed}))


if __name__ == "__main__":
    main()
