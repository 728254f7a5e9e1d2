import json
from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from seeder.domain.log_format import LogFields, as_json, as_text

AT = datetime(2026, 11, 21, 20, 0, tzinfo=UTC)


def test_text_line_has_key_value_pairs() -> None:
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


def test_json_line_is_a_complete_object() -> None:
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
@example("\xa0")
def test_name_with_any_characters_cannot_forge_a_line_or_field(name: str) -> None:
    line = as_text("view_ended", {"view": name, "agencies": (name,)})
    assert line.isprintable()
    assert line.splitlines() == [line]
    fields = line.removeprefix("view_ended view=")
    assert fields == name + " agencies=" + name or fields.startswith('"')
    json_line = as_json("view_ended", {"view": name}, time=AT, level="INFO")
    assert (json_line.splitlines(), json.loads(json_line)["view"]) == ([json_line], name)


@pytest.mark.parametrize("name", ["a b", "a=b", 'a"b', "a,b", "a\nb", "\u202e", "ü"])
def test_value_with_special_characters_is_quoted(name: str) -> None:
    assert as_text("e", {"view": name}).startswith('e view="')
