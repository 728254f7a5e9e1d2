import re
import sys
from collections import Counter
from importlib.resources import files
from pathlib import Path

import pytest

from seeder.postgres.named_statements import load_statements


def test_statements_of_another_package_are_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "second_app"
    package.mkdir()
    (package / "__init__.py").touch()
    text = "-- Loads.\n\n-- name: one\n-- A comment.\nSELECT 1;\n\n-- name: two\nSELECT 2;\n"
    (package / "loads.sql").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    try:
        assert load_statements("second_app") == {"one": "-- A comment.\nSELECT 1;", "two": "SELECT 2;"}
    finally:
        sys.modules.pop("second_app", None)


def test_statement_names_are_unique() -> None:
    texts = [path.read_text() for path in files("seeder.postgres").iterdir() if path.name.endswith(".sql")]
    names = Counter(name for text in texts for name in re.findall(r"^-- name: (\w+)$", text, re.MULTILINE))
    assert names.most_common(1)[0][1] == 1
