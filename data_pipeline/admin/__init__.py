"""The pages of loads and rejects in the host's AdminSite.

They build on those of `seeder`, so they exist only if it is installed.
"""

from django.apps import apps

if apps.is_installed("seeder"):
    from data_pipeline.admin import (  # noqa: F401  # importing them registers the pages
        letter_admin,
        load_admin,
        reject_admin,
        request_admin,
    )
