from argparse import Namespace

from data_pipeline import conf
from data_pipeline.services.recovery import recover_loads
from seeder.management.base_command import SeederCommand


class Command(SeederCommand):
    help = "Mark loads as failed whose process was killed."
    output_formats = ("json",)
    ignored_variables = staticmethod(conf.ignored_variables)

    def run(self, _: Namespace) -> None:
        load_ids = recover_loads(actor=self.name)
        lines = [f"load {load_id}: marked as failed, because its process had ended" for load_id in load_ids]
        self.output.show(
            {"recovered": load_ids}, lines or ["Nothing to recover: the process of each pending load is alive."]
        )
