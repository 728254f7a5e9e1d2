"""`manage.py load_market`: installs the demo's marketplace, and runs each pipeline once."""

from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from demo import market
from demo.errors import DemoError
from demo.market_api import serving
from seeder.domain.human_format import format_count


class Command(BaseCommand):
    help = (
        "Install the marketplace of the demo, and load its prices, fees, freight rates and returns. Safe to run again."
    )

    def handle(self, *_: Any, **__: Any) -> None:
        try:
            written = market.install(connection)
        except DemoError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{format_count(written, 'row')} of manifests written.")
        with serving():
            call_command("import_prices", file=str(market.DATA / "acme.csv"), vendor="acme", stdout=self.stdout)
            call_command("refresh_fees", "DESK-1", "LAMP-1", "LAMP-2", stdout=self.stdout)
            call_command("logistics_etl", stdout=self.stdout)
            call_command("load_file", str(market.DATA / "returns.csv"), dialect="returns_report", stdout=self.stdout)
        self.stdout.write("Create the reports, or refresh them: manage.py refresh_agency market")
