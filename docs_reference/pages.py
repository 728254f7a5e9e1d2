"""The generated pages by file name."""

from collections.abc import Callable, Mapping

from docs_reference import (
    checks_page,
    commands_page,
    errors_page,
    log_events_page,
    metrics_page,
    reasons_page,
    settings_page,
)

PAGES: Mapping[str, Callable[[], str]] = {
    "checks.md": checks_page.render,
    "commands.md": commands_page.render,
    "errors.md": errors_page.render,
    "log-events.md": log_events_page.render,
    "metrics.md": metrics_page.render,
    "reasons.md": reasons_page.render,
    "settings.md": settings_page.render,
}
