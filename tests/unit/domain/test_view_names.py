import pytest

from seeder.domain.view_names import ViewName, one_line
from seeder.errors import BadName


@pytest.mark.parametrize(
    ("text", "schema", "name"),
    [
        ("reporting.stg_arrests", "reporting", "stg_arrests"),
        ("stg_arrests", "reporting", "stg_arrests"),
        ("Reporting.STG_Arrests", "reporting", "stg_arrests"),
        ('"Gotham PD"."Use of Force"', "Gotham PD", "Use of Force"),
        ('"select"."a.b"', "select", "a.b"),
        ('"say ""hi"""', "reporting", 'say "hi"'),
        ("  reporting .  b ", "reporting", "b"),
        ("Größe.ÄRGER", "größe", "Ärger"),  # only ASCII letters fold
        ("_a$1", "reporting", "_a$1"),
        ("報告.表", "報告", "表"),
        ('"line\nbreak"', "reporting", "line\nbreak"),
        ("a" * 63, "reporting", "a" * 63),
    ],
)
def test_name_is_parsed_like_in_sql(text: str, schema: str, name: str) -> None:
    assert ViewName.parse(text) == ViewName(schema=schema, name=name)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no identifier"),
        (".a", "no identifier at character 1"),
        ("a.", "no identifier at character 3"),
        ("1a", "no identifier"),
        ('"a', "no identifier"),
        ('""', "quoted identifier is empty"),
        ("a b", "'b' at character 3"),
        ("a-b", "'-' at character 2"),
        ("a.b.c", "3 parts"),
        ("a; drop table b", "';' at character 2"),
        ("a\0", "cannot store"),
        ("a\ud800", "cannot store"),
        ("a" * 64, "64 bytes"),
        ("pg_temp.a", "begin with pg_"),
        ('"pg_toast".a', "begin with pg_"),
        ("a\v.b", "unexpected"),
        ("ä" * 32, "64 bytes"),
        ('"' + "a" * 64 + '".b', "64 bytes"),
    ],
)
def test_invalid_name_is_rejected_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(BadName, match=reason):
        ViewName.parse(text)


@pytest.mark.parametrize("text", ["a.b", 'a."B"', '"a b"."c""d"', '"1"._2'])
def test_printed_name_parses_to_itself(text: str) -> None:
    name = ViewName.parse(text)
    assert str(name) == text
    assert ViewName.parse(str(name)) == name


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("reporting.größe 1", "reporting.größe 1"),
        ("a\nb\x1b[2J", r"a\nb\x1b[2J"),
        ("1\xa0204\u202f000 filas", "1\xa0204\u202f000 filas"),
        ("a\u202eb\u2028c", r"a\u202eb\u2028c"),
    ],
)
def test_only_unprintable_characters_are_escaped(text: str, escaped: str) -> None:
    assert one_line(text) == escaped
