"""Types for doctor checks: their argument and their results."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property, partial
from typing import Any

from django.db import DEFAULT_DB_ALIAS

from seeder.conf import Settings
from seeder.domain.manifests import Selection, ViewSpec
from seeder.domain.view_names import ViewName
from seeder.postgres import contract, doctor_queries, view_survey
from seeder.postgres.catalog import UsedObject, group_used_objects, name_lists
from seeder.postgres.doctor_queries import FoundRelation, FoundSchema, ServerFacts
from seeder.postgres.view_survey import Survey
from seeder.services.run import planning
from seeder.texts import Text


class Level(IntEnum):
    """Severity, named and numbered as in Django's checks."""

    INFO = 20  # no effect now
    WARNING = 30  # refreshes work with limitations
    ERROR = 40  # stops refreshes or the queue

    def __str__(self) -> str:
        return self.name.lower()


@dataclass(frozen=True, kw_only=True, slots=True)
class Problem:
    """A kind of problem, with its text on the reference page."""

    name: str
    level: Level
    area: str  # heading on the reference page
    meaning: Text
    fix: Text  # what to do, and which role can do it

    def found(self, subject: str, *, message: str = "", fix: str = "", sql: str = "") -> "Diagnosis":
        """Return a diagnosis, with details about the subject or another fix."""
        return Diagnosis(problem=self, subject=subject, message=message or self.meaning, fix=fix or self.fix, sql=sql)


error_problem = partial(Problem, level=Level.ERROR)
warning_problem = partial(Problem, level=Level.WARNING)
info_problem = partial(Problem, level=Level.INFO)


@dataclass(frozen=True, kw_only=True, slots=True)
class Diagnosis:
    """One problem that a check has found, with the affected object."""

    problem: Problem
    subject: str  # the view, table, role or setting
    message: str
    fix: str
    sql: str  # to paste into psql in that database; empty if SQL alone does not fix it
    database: str = ""  # Django's alias; set by the doctor


@dataclass(frozen=True, kw_only=True)
class CheckedDatabase:
    """The argument of a check: one database with its manifests. Facts of its catalog are cached."""

    alias: str
    server: ServerFacts
    settings: Settings
    selection: Selection  # all enabled manifests, including those of other databases
    listed_views: frozenset[ViewName]  # also of disabled manifests and of canned reports without subscriptions
    compares_queries: bool
    on_progress: Callable[[int, int], object]  # number of compared queries, total

    @cached_property
    def survey(self) -> Survey | None:
        """The survey of the views, or None if queries are not compared. Raises database errors."""
        if not self.compares_queries:
            return None
        tables = contract.OptionalTables.read(DEFAULT_DB_ALIAS)
        return view_survey.survey(
            self.alias,
            planning.queries_by_view(self.selection).get(self.alias, {}),
            load_known=partial(planning.load_definitions, self.alias, tables=tables),
            is_diagnosis=True,
            on_progress=self.on_progress,
        )

    @property
    def is_default(self) -> bool:
        """Whether it has the reporting tables and the queue."""
        return self.alias == DEFAULT_DB_ALIAS

    def read(self, statement: str, **parameters: Any) -> list[tuple[Any, ...]]:
        """Return the rows of a named statement, as `doctor_queries.read` does."""
        return doctor_queries.read(self.alias, statement, **parameters)

    @cached_property
    def views(self) -> Mapping[ViewName, ViewSpec]:
        """The views of enabled manifests in this database."""
        return {spec.key.name: spec for spec in self.selection.views if spec.key.database == self.alias}

    @cached_property
    def relations(self) -> Mapping[ViewName, FoundRelation]:
        """The existing relations, of any kind, with the names of `views`."""
        rows = self.read("view_facts", **name_lists(self.views))
        found = [FoundRelation(ViewName(schema=schema, name=name), *facts) for schema, name, *facts in rows]
        return {relation.view: relation for relation in found}

    @cached_property
    def used_objects(self) -> Mapping[ViewName, Sequence[UsedObject]]:
        """What existing materialized views use, if they use anything."""
        return group_used_objects(self.read("dependencies", **name_lists(self.relations), kinds=["m"]))

    @cached_property
    def missing_views(self) -> Sequence[ViewName]:
        """The views that do not exist, sorted."""
        return sorted(self.views.keys() - self.relations.keys())

    @cached_property
    def schemas(self) -> Sequence[FoundSchema]:
        """The schemas of the views, and of the reporting tables."""
        names = {view.schema for view in self.views} | ({contract.SCHEMA} if self.is_default else set())
        return [FoundSchema(*row) for row in self.read("schema_privileges", names=sorted(names))]
