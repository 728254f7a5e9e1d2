"""Sends one OpenLineage event. What a view reads is looked up then, so runs need no further statement."""

import json
from collections.abc import Mapping
from typing import Any

from django.db import Error, connections

from seeder import __version__, conf
from seeder.domain.manifests import ViewKey
from seeder.domain.notifications import lineage
from seeder.domain.notifications.channels import LineageServer
from seeder.domain.notifications.events import Facts
from seeder.domain.notifications.lineage import LineageDatabase, LineageView
from seeder.domain.view_names import ViewName
from seeder.postgres import catalog, transactions
from seeder.services import manifest_selection
from seeder.services.notifications.http_posts import Answer, NoAnswer, post
from seeder.services.notifications.outbox import ClaimedNotification

_KINDS = {"r", "p", "f", "m"}  # relations that have rows


def send(server: LineageServer, row: ClaimedNotification) -> Answer:
    """Send the event of a row. Raises `NoAnswer`, also if the view's database does not answer."""
    if "view" in row.facts:
        event = _refresh_event(server, row.facts)
    else:
        event = lineage.run_event(row.facts, namespace=server.namespace, version=__version__)
    headers = {"authorization": f"Bearer {server.token}"} if server.token else {}
    return post(server.url, json.dumps(event).encode(), headers, timeout=server.timeout)


def _refresh_event(server: LineageServer, facts: Facts) -> Mapping[str, Any]:
    alias, view = facts["database"], ViewName.parse(facts["view"])
    if alias not in connections:
        raise NoAnswer("the database of the view is not in DATABASES")
    used = transactions.attempt(alias, lambda: catalog.find_used_objects(alias, {view}))
    if isinstance(used, Error):
        raise NoAnswer("the database of the view does not answer")
    inputs = {str(one.relation) for one in used[view] if one.kind in _KINDS and one.relation is not None}
    key = ViewKey(database=alias, name=view)
    shown = LineageView(inputs=sorted(inputs), sql=_query(key) if server.has_sql else None)
    return lineage.refresh_event(
        facts, namespace=server.namespace, database=_database(alias), view=shown, version=__version__
    )


def _query(view: ViewKey) -> str | None:
    """Return the query of the view's manifest. The definition in the catalog would wait for a refresh of the view."""
    specs = manifest_selection.select_views([view], databases=conf.load().databases)
    return next((manifest.query for spec in specs for manifest in spec.manifests), None)


def _database(alias: str) -> LineageDatabase:
    values = connections[alias].settings_dict
    return LineageDatabase(
        host=values["HOST"] or "localhost", port=int(values["PORT"] or 5432), name=values["NAME"] or alias
    )
