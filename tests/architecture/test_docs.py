"""Documentation that has to be complete."""

import re
from dataclasses import fields

from seeder.conf import Settings
from tests.conftest import CHECKOUT


def test_every_setting_is_documented_with_its_default() -> None:
    text = (CHECKOUT / "docs" / "settings.md").read_text(encoding="utf-8")
    documented = dict(re.findall(r"^\| `([A-Z_]+)` \|\s*`?([^|`]*?)`?\s*\|", text, re.MULTILINE))
    defaults = {setting.name.upper(): getattr(Settings(), setting.name) for setting in fields(Settings)}
    assert {name: value.strip() for name, value in documented.items()} == {
        name: str(value).lower() for name, value in defaults.items()
    }
