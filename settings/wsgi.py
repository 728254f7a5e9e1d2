"""The door for a web server. Which settings is said by DJANGO_SETTINGS_MODULE, and nowhere else."""

from django.core.wsgi import get_wsgi_application

application = get_wsgi_application()
