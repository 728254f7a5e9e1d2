"""Bring the catalogs of the apps up to date: python -m translations

Extracts the messages, keeps their translations, compiles the catalogs, and names the messages without a translation.
It exits with 1 if there is one.
"""

import os
import sys
from pathlib import Path

import django

from translations import catalogs
from translations.extraction import find_messages

APPS = (Path("seeder"), Path("data_pipeline"))


def main() -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings.test")
    django.setup()
    is_complete = True
    for app in APPS:
        messages = list(find_messages(app))
        for language in catalogs.LANGUAGES:
            path = catalogs.catalog_path(app, language)
            catalog = catalogs.merged(catalogs.load(path, language), messages, language)
            catalogs.save(catalog, path)
            for problem in catalogs.problems(catalog):
                is_complete = False
                sys.stdout.write(f"{path}: {problem}\n")
    return 0 if is_complete else 1


if __name__ == "__main__":
    sys.exit(main())
