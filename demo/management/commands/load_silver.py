"""`manage.py load_silver`: delivers the demo's files into a bucket, and transforms them into another one."""

from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from data_pipeline import conf
from data_pipeline.jobs import get_s3_files
from demo import silver
from embedded.errors import EmbeddedError
from embedded.object_storage.server import ensure_running


class Command(BaseCommand):
    help = "Deliver the demo's files into the bucket bronze, and transform them into the bucket silver."

    def handle(self, *_: Any, **__: Any) -> None:
        try:
            storage = ensure_running(settings.EMBEDDED_OBJECT_STORAGE)
        except EmbeddedError as error:
            raise CommandError(str(error)) from error
        buckets = {"SOURCE_BUCKET": silver.BRONZE, "DESTINATION_BUCKET": silver.SILVER}
        settings.DATA_PIPELINE = {**settings.DATA_PIPELINE, **storage.settings(), **buckets}
        call_command("migrate", "data_pipeline", verbosity=0)
        for key in silver.deliver_files(conf.load()):
            self.stdout.write(f"s3://{silver.BRONZE}/{key}: delivered")
        if code := get_s3_files.entrypoint(["--agency-id", silver.AGENCY]):
            raise CommandError("Some files were not transformed.", returncode=code)
        self.stdout.write("The server's address and keys: manage.py embedded_s3 status")
