from argparse import Namespace

from django.db import DEFAULT_DB_ALIAS

from data_pipeline import conf
from data_pipeline.services.recovery import recover_all_loads
from seeder.management.base_command import SeederCommand
from seeder.texts import Text


class Command(SeederCommand):
    help = Text("Mark loads as failed whose process was killed, in all databases.")
    output_formats = ("json",)
    ignored_variables = staticmethod(conf.ignored_variables)

    def run(self, _: Namespace) -> None:
        recovered = recover_all_loads(actor=self.name)
        lines = [_line(load_id, database) for database, load_ids in recovered.items() for load_id in load_ids]
        others = {database: load_ids for database, load_ids in recovered.items() if database != DEFAULT_DB_ALIAS}
        document = {"recovered": recovered[DEFAULT_DB_ALIAS], "otherDatabases": others}
        self.output.show(document, lines or [Text("Nothing to recover: the process of each pending load is alive.")])


def _line(load_id: int, database: str) -> Text:
    if database == DEFAULT_DB_ALIAS:
        return Text("load {load_id}: marked as failed, because its process had ended", load_id=load_id)
    return Text(
        "load {load_id} of the database {database}: marked as failed, because its process had ended",
        load_id=load_id,
        database=database,
    )
