"""The app `data_pipeline` in a project that does not install `seeder`."""

import subprocess
import sys
from pathlib import Path

from data_pipeline.management import commands
from tests.conftest import CHECKOUT, process_environment

SCRIPT = """
import importlib, sys
import django
from django.conf import settings

settings.configure(
    INSTALLED_APPS=["data_pipeline"],
    DATABASES={"default": {"ENGINE": "django.db.backends.postgresql", "NAME": "none"}},
    USE_TZ=True,
    LANGUAGE_CODE="de",
)
django.setup()
for name in sys.argv[1:]:
    importlib.import_module(name).Command().create_parser("manage.py", name)

from data_pipeline.errors import UnknownLoad
from seeder.services.translation import translated

print(translated(UnknownLoad(load_id=7)))
"""


def test_each_command_of_loads_starts_and_is_translated_without_seeder() -> None:
    [folder] = map(Path, commands.__path__)
    names = [f"{commands.__name__}.{path.stem}" for path in sorted(folder.glob("[a-z]*.py"))]
    ended = subprocess.run(
        [sys.executable, "-c", SCRIPT, *names],
        cwd=CHECKOUT,
        env=process_environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert len(names) > 10
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.startswith("Es gibt keinen Ladevorgang 7.")
