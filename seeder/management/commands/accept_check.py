from argparse import Namespace
from collections.abc import Sequence

from seeder.management.check_decision_command import CheckDecisionCommand
from seeder.models import DataCheckWaiver
from seeder.services.data_checks import waivers
from seeder.services.data_checks.waivers import HeldChecks
from seeder.texts import Text


class Command(CheckDecisionCommand):
    help = Text("Make the rows of a held view the baseline with which its row count or drift is compared later.")

    def decision_text(self, **facts: str) -> Text:
        return Text("Accepted for {check} of {view}: {figures}", **facts)

    def decide(self, held: HeldChecks, options: Namespace, *, by: str) -> Sequence[DataCheckWaiver]:
        return waivers.accept_checks(held, reason=options.reason, granted_by=by)
