from argparse import Namespace
from collections.abc import Sequence

from seeder.management.check_decision_command import CheckDecisionCommand
from seeder.models import DataCheckWaiver
from seeder.services.data_checks import waivers
from seeder.services.data_checks.waivers import HeldChecks


class Command(CheckDecisionCommand):
    help = "Make the rows of a held view the baseline with which its row count or drift is compared later."
    effect = "Accepted for"

    def decide(self, held: HeldChecks, options: Namespace, *, by: str) -> Sequence[DataCheckWaiver]:
        return waivers.accept_checks(held, reason=options.reason, granted_by=by)
