"""Builders of small views, manifests and plans."""

from datetime import timedelta

from seeder.domain.manifests import Manifest, ReportType, Selection, ViewKey, ViewSpec
from seeder.domain.plan import PlanInputs, RefreshPlan, build_plan
from seeder.domain.view_names import ViewName


def view_key(name: str, database: str = "default") -> ViewKey:
    return ViewKey(database=database, name=ViewName(schema="reporting", name=name))


def manifest(
    name: str, number: int = 1, *, kind: ReportType = ReportType.CUSTOM, agency: str = "demo", query: str = "SELECT 1"
) -> Manifest:
    return Manifest(
        report_type=kind,
        manifest_id=number,
        table_name=f"reporting.{name}",
        report_name=f"Report {name}",
        agency_id=1,
        agency_slug=agency,
        query=query,
    )


def selection(*names: str) -> Selection:
    return Selection(views=tuple(ViewSpec(key=view_key(name), manifests=(manifest(name),)) for name in names))


def plan(
    *names: str,
    depends_on: dict[str, str] | None = None,
    seconds: dict[str, float] | None = None,
    rows: dict[str, int] | None = None,
    failures: dict[str, int] | None = None,
) -> RefreshPlan:
    """Build a plan of existing views.

    `depends_on={"a": "b c"}` means that a depends on b and c.
    """
    plan_inputs = PlanInputs(
        row_counts={view_key(name): (rows or {}).get(name, 0) for name in names},
        depends_on={
            view_key(name): {view_key(dependency) for dependency in names_read.split()}
            for name, names_read in (depends_on or {}).items()
        },
        expected_durations={view_key(name): timedelta(seconds=duration) for name, duration in (seconds or {}).items()},
        consecutive_failures={view_key(name): count for name, count in (failures or {}).items()},
    )
    return build_plan(selection(*names), plan_inputs)


def view_names(plan: RefreshPlan) -> list[str]:
    return [view.key.name.name for view in plan.views]
