from argparse import Namespace

from seeder.domain.human_format import format_count
from seeder.management.base_command import SeederCommand
from seeder.services.run import orphan_recovery
from seeder.texts import Text


class Command(SeederCommand):
    help = Text("Close the rows of killed runs. Every refresh does this when it starts.")

    def run(self, _: Namespace) -> None:
        recovered = orphan_recovery.recover_orphaned_runs()
        for run_id, rows in recovered.items():
            line = Text("run {run_id}: {rows} closed as interrupted", run_id=run_id, rows=format_count(rows, "row"))
            self.output.show_text([line])
        if not recovered:
            self.output.show_text(
                [Text("Nothing to close: no run was killed, or the server still executes its statements.")]
            )
