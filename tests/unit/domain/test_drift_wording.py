"""What a comparison found has a word, a meaning and a verdict."""

from seeder.domain.drift import Finding
from seeder.domain.drift_rules import Kind, Severity
from seeder.domain.drift_wording import MEANINGS, VERDICTS, WORDS, change, sentence


def test_every_kind_and_every_severity_is_told() -> None:
    assert set(WORDS) == set(MEANINGS) == set(Kind)
    assert set(VERDICTS) == set(Severity)


def test_a_value_out_of_somebodys_data_draws_nothing() -> None:
    retyped = Finding(kind=Kind.COLUMN_RETYPED, column="n", base="\x1b[2Jinteger", compare="", exact=False)
    assert change(retyped) == "\\x1b[2Jinteger → none (estimated)"
    assert sentence(retyped) == "n: type changed \\x1b[2Jinteger → none (estimated)"
