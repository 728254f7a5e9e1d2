from argparse import Namespace
from collections.abc import Sequence

from django.core.management.base import CommandParser

from seeder.management.base_command import whole_number
from seeder.management.check_decision_command import CheckDecisionCommand
from seeder.models import DataCheckWaiver
from seeder.services.data_checks import waivers
from seeder.services.data_checks.waivers import HeldChecks
from seeder.texts import Text


class Command(CheckDecisionCommand):
    help = Text(
        "Let the next refresh of a held view be published once, unless its data are worse than those that were held."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--hours",
            type=whole_number,
            default=waivers.DEFAULT_HOURS,
            metavar="N",
            help=Text("hours after which an unused waiver expires (default: {hours})", hours=waivers.DEFAULT_HOURS),
        )

    def decision_text(self, **facts: str) -> Text:
        return Text("Waived once {check} of {view}: {figures}", **facts)

    def decide(self, held: HeldChecks, options: Namespace, *, by: str) -> Sequence[DataCheckWaiver]:
        return waivers.waive_checks(held, reason=options.reason, granted_by=by, hours=options.hours)
