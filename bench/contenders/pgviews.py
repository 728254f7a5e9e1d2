"""django-pgviews-redux: a project with a model for each view, refreshed by its own command."""

import shutil

from bench.contenders.builtin import contender_folder
from bench.environments import program
from bench.interleaved_runs import Command
from bench.server import BenchServer
from bench.workloads.workload import SCHEMA, BenchView, Workload

_SETTINGS = """\
SECRET_KEY = "bench"
USE_TZ = True
INSTALLED_APPS = ["django_pgviews", "reports"]
DATABASES = {{
    "default": {{
        "ENGINE": "django.db.backends.postgresql",
        "HOST": {PGHOST!r},
        "PORT": {PGPORT!r},
        "USER": {PGUSER!r},
        "NAME": {PGDATABASE!r},
    }}
}}
"""
_MODEL = '''
class {name}(MaterializedView):
    sql = """{query}"""
    dependencies = {reads!r}

    class Meta:
        managed = False
        db_table = "{schema}.{table}"
'''


def pgviews(workload: Workload, bench: BenchServer, _workers: int) -> Command:
    """Refresh one view at a time, with declared dependencies."""
    return _project(workload, bench, name="django-pgviews", declare=True)


def undeclared_pgviews(workload: Workload, bench: BenchServer, _workers: int) -> Command:
    """The same without declared dependencies."""
    return _project(workload, bench, name="django-pgviews, undeclared", declare=False)


def _project(workload: Workload, bench: BenchServer, *, name: str, declare: bool) -> Command:
    project = contender_folder(workload) / name.replace(", ", "-")
    shutil.rmtree(project, ignore_errors=True)
    (project / "reports").mkdir(parents=True)
    (project / "reports" / "__init__.py").write_text("")
    (project / "settings.py").write_text(_SETTINGS.format(**bench.libpq_variables(workload.name)))
    models = "".join(_model(view, declare=declare) for view in workload.views)
    (project / "reports" / "models.py").write_text(f"from django_pgviews.view import MaterializedView\n{models}")
    arguments = [str(program("pgviews", "django-admin")), "refresh_pgviews"]
    environment = {"DJANGO_SETTINGS_MODULE": "settings", "PYTHONPATH": str(project)}
    return Command(name=name, arguments=arguments, environment=environment, folder=project)


def _model(view: BenchView, *, declare: bool) -> str:
    reads = [f"reports.{_class(dependency)}" for dependency in view.depends_on] if declare else []
    return _MODEL.format(name=_class(view.name), query=view.query, reads=reads, schema=SCHEMA, table=view.name)


def _class(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))
