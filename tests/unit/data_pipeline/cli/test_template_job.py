"""The job's template tested with unittest, as an example for projects that do not use pytest."""

# ruff: noqa: PT009, PT027  # the assertions of unittest are what this example shows

import io
from contextlib import redirect_stderr, redirect_stdout
from datetime import UTC, datetime
from unittest import TestCase
from unittest.mock import Mock

from data_pipeline.jobs import _my_job
from data_pipeline.services.handler import ServiceHandler


class TemplateJobTests(TestCase):
    def setUp(self) -> None:
        self.start_django = Mock()
        clock = Mock(return_value=datetime(2026, 2, 3, tzinfo=UTC))
        self.handler = ServiceHandler(clock=clock, start_django=self.start_django)

    def test_dry_run_does_not_start_django(self) -> None:
        with redirect_stdout(io.StringIO()) as printed:
            code = _my_job.entrypoint(["--agency-id", "10", "--dry-run"], handler=self.handler)
        self.assertEqual((code, printed.getvalue()), (0, "Would process agency 10 as of 2026-02-03.\n"))
        self.start_django.assert_not_called()

    def test_missing_argument_exits_with_2(self) -> None:
        with redirect_stderr(io.StringIO()) as printed, self.assertRaises(SystemExit) as raised:
            _my_job.entrypoint([], handler=self.handler)
        self.assertEqual(raised.exception.code, 2)
        self.assertIn("--agency-id", printed.getvalue())
        self.assertEqual(printed.getvalue().count("\n"), 1)
