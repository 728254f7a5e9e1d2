"""Query parameters with several values."""

import pytest
from rest_framework import serializers

from seeder.api.input_serializers import CommaSeparatedField, DigitsField

STATUSES = CommaSeparatedField(serializers.ChoiceField(choices=["error", "running"]))


@pytest.mark.parametrize(
    ("text", "values"), [("error", ["error"]), ("error,running", ["error", "running"]), ("error,error", ["error"])]
)
def test_comma_separated_values_are_distinct(text: str, values: list[str]) -> None:
    assert STATUSES.run_validation(text) == values


@pytest.mark.parametrize("text", ["", ",", "error,", "error, running", "error;running", "ERROR", "\0"])
def test_comma_separated_invalid_value_is_rejected(text: str) -> None:
    with pytest.raises(serializers.ValidationError):
        STATUSES.run_validation(text)


def test_comma_separated_values_are_converted_and_limited() -> None:
    numbers = CommaSeparatedField(DigitsField(min_value=1), max_length=2)
    assert numbers.run_validation("2,1") == [2, 1]
    with pytest.raises(serializers.ValidationError, match="no more than 2"):
        numbers.run_validation("1,2,3")
