from argparse import SUPPRESS, Namespace
from datetime import timedelta

from django.core.management.base import CommandParser
from django.utils.autoreload import get_child_arguments

from seeder.management.base_command import SeederCommand, whole_number
from seeder.services import unix_signals
from seeder.services.queue import cluster_watchdog, dispatch
from seeder.texts import Text

_DEFAULT_GRACE_SECONDS = 15  # with the cleanup afterwards less than the 30 s that Kubernetes grants by default


class Command(SeederCommand):
    help = Text("Run and supervise a cluster of the queue. Replaces `manage.py qcluster`.")

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--grace",
            type=whole_number,
            default=_DEFAULT_GRACE_SECONDS,
            metavar="SECONDS",
            help=Text(
                "time for running tasks to end after a stop signal (default: {seconds})", seconds=_DEFAULT_GRACE_SECONDS
            ),
        )
        # The watchdog starts the cluster with it: the file descriptor of the heartbeat.
        parser.add_argument("--heartbeat-fd", type=int, help=SUPPRESS)

    def run(self, options: Namespace) -> None:
        dispatch.require_valid_settings()
        if options.heartbeat_fd is not None:
            from seeder.services.queue import cluster_process  # importing it reads the queue's settings

            cluster_process.run(options.heartbeat_fd)
            return
        with unix_signals.stop_on_signal() as stop:
            cluster_watchdog.keep_cluster_running(
                [*get_child_arguments(), "--heartbeat-fd"],
                stop=stop,
                grace=timedelta(seconds=options.grace),
                report=lambda line: self.output.show_text([line]),
            )
