"""What a run leaves in the log."""

import logging

import pytest

from seeder.domain.requests import Everything
from seeder.services import runs
from tests.conftest import custom


@pytest.mark.usefixtures("reporting")
def test_no_name_forges_a_line_of_the_log(caplog: pytest.LogCaptureFixture) -> None:
    custom('reporting."a\nrun 1: all is well \u202e"', "SELECT 1 AS n")
    with caplog.at_level(logging.INFO, logger="seeder"):
        runs.execute(Everything(), asked_by="a test")
    about = [message for message in caplog.messages if "all is well" in message]
    assert len(about) == 2
    assert all(r'reporting."a\nrun 1: all is well \u202e"' in message for message in about)
