#!/usr/bin/env python
"""Django's command line for this checkout."""

import os
import sys

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings.local")
    try:
        from django.core.exceptions import ImproperlyConfigured
        from django.core.management import execute_from_command_line

        try:
            execute_from_command_line(sys.argv)
        except ImproperlyConfigured as error:  # its message says what to do
            sys.stderr.write(f"{error}\n")
            sys.exit(2)
    except KeyboardInterrupt:  # before the command began
        sys.stderr.write("Interrupted.\n")
        sys.exit(130)
