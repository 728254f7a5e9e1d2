"""Small values to plan with, written as short as a test likes to read them."""

from datetime import timedelta

from seeder.domain.manifests import Manifest, ReportType, Selection, ViewKey, ViewSpec
from seeder.domain.plan import PlanInputs, RefreshPlan, build_plan
from seeder.domain.view_names import ViewName


def key(name: str, database: str = "default") -> ViewKey:
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
    return Selection(views=tuple(ViewSpec(key=key(name), manifests=(manifest(name),)) for name in names))


def plan(
    *names: str,
    reads: dict[str, str] | None = None,
    seconds: dict[str, float] | None = None,
    rows: dict[str, int] | None = None,
    failures: dict[str, int] | None = None,
) -> RefreshPlan:
    """A plan for existing views; `reads={"a": "b c"}` says that a reads b and c."""
    known = PlanInputs(
        row_counts={key(name): (rows or {}).get(name, 0) for name in names},
        depends_on={key(name): {key(read) for read in others.split()} for name, others in (reads or {}).items()},
        expected_durations={key(name): timedelta(seconds=span) for name, span in (seconds or {}).items()},
        consecutive_failures={key(name): times for name, times in (failures or {}).items()},
    )
    return build_plan(selection(*names), known)


def order(plan: RefreshPlan) -> list[str]:
    return [view.key.name.name for view in plan.views]
