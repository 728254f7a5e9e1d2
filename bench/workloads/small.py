"""Many trivial views: they show the cost of everything except the refresh itself."""

from bench.workloads.workload import BenchView, Workload


def small(count: int) -> Workload:
    digits = len(str(count - 1))
    return Workload(
        name=f"small_{count}",
        title=f"{count:,} trivial views",
        views=[BenchView(name=f"small_{number:0{digits}}", query="SELECT 1 AS one") for number in range(count)],
    )
