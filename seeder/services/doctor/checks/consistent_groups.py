"""Consistent groups that a run would refuse."""

from collections.abc import Iterator

from django.db import DEFAULT_DB_ALIAS

from seeder.domain.consistent_groups import refusals
from seeder.services.doctor.check_types import CheckedDatabase, Diagnosis, error_problem
from seeder.services.groups.group_facts import read_group_facts
from seeder.services.groups.group_selection import complete_groups
from seeder.texts import Text

GROUP_REFUSED = error_problem(
    name="group_refused",
    area="views",
    meaning=Text(
        "A group of `CONSISTENT_GROUPS` cannot be refreshed in one transaction, so all its views fail in each run."
    ),
    fix=Text("Do what the message says for each view, or take the view out of the group."),
)


def check(database: CheckedDatabase) -> Iterator[Diagnosis]:
    _, groups = complete_groups(database.selection, database.settings)
    specs = {spec.key: spec for spec in database.selection.views}
    for group in groups:
        members = [specs[key] for key in sorted(group.members)]
        if members[0].key.database == database.alias:
            found = refusals(
                read_group_facts(database.alias, members).of_members(members),
                allow_blocking=group.options.allow_blocking,
                default_database=DEFAULT_DB_ALIAS,
                unlisted=group.unlisted,
            )
            if reasons := list(found):
                yield GROUP_REFUSED.found(str(group), message=Text.joined(reasons, " "))
