import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seeder.domain.log_format import LogFields, as_json, as_text

AT = datetime(2026, 11, 21, 20, 0, tzinfo=UTC)


def test_a_line_is_readable() -> None:
    facts: LogFields = {
        "run_id": "20261121-1",
        "view": 'reporting."Use of Force"',
        "agencies": ("demo", "new york"),
        "rows": 7,
        "duration_seconds": 0.25,
        "fell_back": True,
        "nothing": "",
    }
    assert as_text("view_ended", facts) == (
        'view_ended run_id=20261121-1 view="reporting.\\"Use of Force\\"" agencies=demo,"new york" rows=7'
        ' duration_seconds=0.250 fell_back=true nothing=""'
    )


def test_an_object_is_complete_in_itself() -> None:
    line = as_json("view_ended", {"view": "reporting.ä", "agencies": ("demo",), "rows": 7}, time=AT, level="INFO")
    assert json.loads(line) == {
        "time": "2026-11-21T20:00:00.000+00:00",
        "level": "INFO",
        "event": "view_ended",
        "view": "reporting.ä",
        "agencies": ["demo"],
        "rows": 7,
    }
    assert line.isascii()


@given(st.text())
def test_no_name_forges_a_line_or_a_fact(name: str) -> None:
    line = as_text("view_ended", {"view": name, "agencies": (name,)})
    assert line.isprintable()
    assert line.splitlines() == [line]
    quoted = line.removeprefix("view_ended view=")
    assert quoted == name + " agencies=" + name or quoted.startswith('"')
    whole = as_json("view_ended", {"view": name}, time=AT, level="INFO")
    assert (whole.splitlines(), json.loads(whole)["view"]) == ([whole], name)


@pytest.mark.parametrize("name", ["a b", "a=b", 'a"b', "a,b", "a\nb", "\u202e", "ü"])
def test_what_is_not_plain_is_quoted(name: str) -> None:
    assert as_text("e", {"view": name}).startswith('e view="')
