from argparse import Namespace
from collections.abc import Sequence

from seeder.management.check_decision_command import CheckDecisionCommand
from seeder.models import DataCheckWaiver
from seeder.services.data_checks import waivers
from seeder.services.data_checks.waivers import HeldChecks


class Command(CheckDecisionCommand):
    help = "Make the row count of a held view the last accepted one, with which later refreshes are compared."
    effect = "Accepted for"

    def decide(self, held: HeldChecks, options: Namespace, *, by: str) -> Sequence[DataCheckWaiver]:
        return waivers.accept_row_counts(held, reason=options.reason, granted_by=by)
