from argparse import Namespace

from seeder.domain.human_format import format_count
from seeder.management.base_command import SeederCommand
from seeder.services.run import orphan_recovery


class Command(SeederCommand):
    help = "Close the rows of killed runs. Every refresh does this when it starts."

    def run(self, _: Namespace) -> None:
        recovered = orphan_recovery.recover_orphaned_runs()
        for run_id, rows in recovered.items():
            self.stdout.write(f"run {run_id}: {format_count(rows, 'row')} closed as interrupted")
        if not recovered:
            self.stdout.write("Nothing to close: no run was killed, or the server still executes its statements.")
