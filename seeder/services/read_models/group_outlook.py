"""The consistent group of a view, as a refresh now would find it."""

from collections.abc import Callable, Iterable

from seeder.conf import Settings
from seeder.domain.explanation.outlook import GroupOutlook
from seeder.domain.manifests import Manifest, Selection, ViewSpec
from seeder.postgres.contract import OptionalTables
from seeder.services.groups.group_planning import add_groups
from seeder.services.groups.group_selection import complete_groups
from seeder.services.run import planning


def read_group_outlook(
    spec: ViewSpec, settings: Settings, tables: OptionalTables, *, sees: Callable[[Iterable[Manifest]], bool]
) -> GroupOutlook | None:
    """Return the group of a view, or None if it is refreshed alone. Names only views that the user may see.

    Raises `DatabaseError`.
    """
    selection, groups = complete_groups(Selection(views=(spec,)), settings)
    if not groups:
        return None
    [group] = add_groups(planning.build(selection, tables), groups).groups
    others = [view for view in group.views if view.key != spec.key]
    visible = [view for view in others if sees(view.spec.manifests)]
    return GroupOutlook(
        name=group.name,
        others=[str(view.key.name) for view in visible],
        hidden_others=len(others) - len(visible),
        estimated_duration=group.estimated_duration,
        refusals=group.refusals,
        members={view.key.name for view in group.views},
    )
