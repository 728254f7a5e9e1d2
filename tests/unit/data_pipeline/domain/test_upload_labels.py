import pytest

from data_pipeline.domain.upload_labels import clean_label


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("fees.csv", "fees.csv"),
        ("C:\\Users\\anna\\fees.csv", "fees.csv"),
        ("../../etc/passwd", "passwd"),
        ("a\x00\x1b[31m\u202eb\n.csv", "a[31mb.csv"),
        ("Gebühren.csv", "Gebühren.csv"),
        ("Gebu\u0308hren.csv", "Gebühren.csv"),
        ("\udc80.csv", ".csv"),
        ("x" * 300, "x" * 255),
        ("/", None),
        (" \t", None),
    ],
)
def test_label_is_the_printable_name_without_folders(name: str, label: str | None) -> None:
    assert clean_label(name) == label
