"""Settings with another appearance of the admin, if ADMIN_SKIN names one, in the time zone of a morning."""

import os

from settings.test import *  # noqa: F403  # settings extend another module
from settings.test import INSTALLED_APPS

INSTALLED_APPS = [*filter(None, [os.environ["ADMIN_SKIN"]]), *INSTALLED_APPS]
JAZZMIN_SETTINGS = {"use_google_fonts_cdn": False}
JAZZMIN_UI_TWEAKS = {"default_theme_mode": "auto"}
TIME_ZONE = os.environ["TIME_ZONE"]
