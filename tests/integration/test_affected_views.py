"""The views that a change affects are those whose dependencies lead to it."""

import os
from collections import defaultdict
from collections.abc import Collection, Mapping
from random import Random

import pytest
from django.db import DEFAULT_DB_ALIAS

from seeder.domain.declared_dependencies import Declaration
from seeder.domain.view_names import ViewName
from seeder.postgres.affected_views import AffectedViews, find_affected_views
from seeder.postgres.catalog import find_used_objects
from seeder.postgres.transactions import rolled_back_atomic
from tests.integration.generated_catalogs import STEPS, GeneratedCatalog

pytestmark = pytest.mark.usefixtures("bare_database")

EXAMPLES = int(os.environ.get("SEEDER_EXAMPLES", "6"))  # `make soak` sets more
MISSING = ViewName.parse("public.missing")


def affected_by_dependencies(
    catalog: GeneratedCatalog, relations: Collection[ViewName], views: Mapping[ViewName, Declaration | None]
) -> AffectedViews:
    """Return the affected views as found from what each given view uses."""
    readers, opaque = defaultdict[ViewName, set[ViewName]](set), set[ViewName]()
    for view, objects in find_used_objects(DEFAULT_DB_ALIAS, views).items():
        for one in objects:
            if one.relation is not None:
                readers[one.relation].add(view)
            elif one.is_opaque and views[view] is None:
                opaque.add(view)
    for view, declaration in views.items():
        for used in declaration.views if declaration else ():
            readers[used].add(view)
    existing = [relation for relation in relations if relation != MISSING]
    changed = {ViewName.parse(name) for relation in existing for name in catalog.relatives(str(relation))}
    affected = changed & views.keys() & set(map(ViewName.parse, catalog.names["view"]))
    unvisited = [*changed]
    while unvisited:
        found = readers[unvisited.pop()] - affected
        affected |= found
        unvisited += found
    reads = {view: {relation for relation in changed | affected if view in readers[relation]} for view in affected}
    return AffectedViews(
        reads=reads, undetermined=opaque - affected, missing_relations=[one for one in relations if one == MISSING]
    )


@pytest.mark.parametrize("seed", range(EXAMPLES))
def test_affected_views_are_those_whose_dependencies_lead_to_the_change(seed: int) -> None:
    random = Random(seed)  # noqa: S311  # repeatable catalogs
    with rolled_back_atomic(DEFAULT_DB_ALIAS):
        catalog = GeneratedCatalog()
        for step in random.choices([*STEPS, "view", "view", "composite type"], k=100):
            catalog.create(step, random)
        relations = [*map(ViewName.parse, [*catalog.names["relation"], *catalog.names["composite type"]]), MISSING]
        listed = [ViewName.parse(name) for number, name in enumerate(catalog.names["view"]) if number % 3]
        views: dict[ViewName, Declaration | None] = dict.fromkeys(listed)
        for declaring in [*listed[::2], random.choice(relations)]:
            views[declaring] = Declaration(views=frozenset(random.sample(relations, 2)))
        for changed in (*([relation] for relation in relations), relations[:3]):
            expected = affected_by_dependencies(catalog, changed, views)
            assert find_affected_views(DEFAULT_DB_ALIAS, changed, views) == expected


@pytest.mark.parametrize("step", STEPS)
def test_step_of_generated_catalogs_is_allowed(step: str) -> None:
    with rolled_back_atomic(DEFAULT_DB_ALIAS):
        assert GeneratedCatalog().create(step, Random(0))  # noqa: S311  # repeatable catalogs
