"""Why a view is in its state: what happened to it, what it depends on, and what would happen now."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import DEFAULT_DB_ALIAS

from seeder.domain.explanation.facts import Decision, ViewStory
from seeder.domain.explanation.outlook import Outlook, outlook_decisions
from seeder.domain.explanation.refresh_decisions import refresh_decisions
from seeder.domain.explanation.state_decisions import state_decisions
from seeder.domain.view_names import ViewName
from seeder.postgres.sqlstates import translate_database_errors
from seeder.services.read_models import (
    view_outlook,
)
from seeder.services.read_models.view_reader import SEES_ALL, Viewer, ViewReader


@dataclass(frozen=True, kw_only=True, slots=True)
class ViewExplanation:
    """The facts about a view, and a sentence for each decision."""

    story: ViewStory
    decisions: Sequence[Decision]  # of the past
    outlook: Outlook
    expectations: Sequence[Decision]  # of a refresh that starts now


@translate_database_errors(DEFAULT_DB_ALIAS)
def explain_view(table_name: str, viewer: Viewer = SEES_ALL, *, database: str | None = None) -> ViewExplanation:
    """Explain a view by any spelling of its name. Of several databases, `database` selects one.

    Takes a constant number of statements, and a few more for each level of views on views. Changes nothing.

    Raises `BadName`, `UnknownTable` (also for a view of hidden agencies), `ConfigurationError` or `DatabaseError`.
    """
    reader = ViewReader(ViewName.parse(table_name), viewer, database)
    story = reader.story()
    outlook = view_outlook.read_outlook(reader.outlook_scope(story.now))
    return ViewExplanation(
        story=story,
        decisions=_decisions(story),
        outlook=outlook,
        expectations=[*outlook_decisions(story, outlook)],
    )


def _decisions(story: ViewStory) -> Sequence[Decision]:
    """Return the decisions of the past. The notes of a refresh repeat warnings of its data checks."""
    states = [*state_decisions(story)]
    texts = {decision.text for decision in states}
    return [*(decision for decision in refresh_decisions(story) if decision.text not in texts), *states]
