"""How far a load is, as text."""

from datetime import timedelta

import pytest

from data_pipeline.domain.load_progress import LoadProgress, progress_text


@pytest.mark.parametrize(
    ("records", "rejected", "seconds", "is_merging", "text"),
    [
        (640_000, 3, 2, False, "640,000 rows, 3 rejected, 320,000 rows/s"),
        (640_000, 0, 2, False, "640,000 rows, 320,000 rows/s"),
        (1, 0, 0, False, "1 row"),
        (640_000, 3, 2, True, "640,000 rows, 3 rejected, merging into the table"),
    ],
)
def test_progress_names_rows_rejects_and_rate(
    *, records: int, rejected: int, seconds: int, is_merging: bool, text: str
) -> None:
    progress = LoadProgress(bytes_read=1, bytes_total=2, records=records, rejected=rejected, is_merging=is_merging)
    assert progress_text(progress, timedelta(seconds=seconds)) == text
