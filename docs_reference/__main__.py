"""Write every generated page."""

import os
from pathlib import Path

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings.local")
django.setup()

from docs_reference.pages import PAGES  # noqa: E402  # it imports models

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "reference"

for name, render in PAGES.items():
    (FOLDER / name).write_text(render(), encoding="utf-8")
