from argparse import Namespace

from django.core.management.base import CommandParser

from seeder.management.base_command import SeederCommand
from seeder.services import freshness_links, manifest_selection
from seeder.services.documents.document_fields import fields
from seeder.texts import Text


class Command(SeederCommand):
    help = Text("Print a signed link with which readers without a login see how fresh the data of an agency are.")
    output_formats = ("json",)
    examples = ("demo --origin https://reports.example.org", "demo --expires 2027-06-30 --json")

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("agency", metavar="AGENCY", help=Text("slug of the agency"))
        parser.add_argument(
            "--expires", metavar="DAY", help=Text("last day of the link, or an instant (default: none)")
        )
        parser.add_argument(
            "--origin", metavar="URL", default="", help=Text("address of the site, such as https://reports.example.org")
        )

    def run(self, options: Namespace) -> None:
        manifest_selection.require_known_agency(options.agency)
        expires_at = None if options.expires is None else freshness_links.parse_expiry(options.expires)
        link = freshness_links.create_link(options.agency, expires_at=expires_at, origin=options.origin)
        document = fields(link, "badge", "fragment", "frame", "html", "expires_at", agencySlug="agency")
        self.output.show(document, [link.badge, link.fragment, link.frame, link.html])
