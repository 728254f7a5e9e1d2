"""Settings of the tests, with a consistent group: that of `tests.integration.groups.grouped_views`."""

from settings.test import *  # noqa: F403  # settings extend another module

SEEDER = {"CONSISTENT_GROUPS": {"month": {"views": ["reporting.a", "reporting.c"]}}}
