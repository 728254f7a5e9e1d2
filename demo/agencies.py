"""The agencies of the demo with their reports and subscriptions, from agencies.toml and reports/*.sql."""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

DEMO_FOLDER = Path(__file__).parent


@dataclass(frozen=True, kw_only=True)
class Agency:
    id: int
    slug: str
    name: str


@dataclass(frozen=True, kw_only=True)
class CannedReport:
    id: int
    table_name: str
    report_name: str
    file: str  # in reports/, without .sql

    @property
    def query(self) -> str:
        return query_of(self.file)


@dataclass(frozen=True, kw_only=True)
class CustomReport:
    id: int
    agency: Agency
    table_name: str
    report_name: str
    file: str
    enabled: bool = True

    @property
    def query(self) -> str:
        return query_of(self.file)


@dataclass(frozen=True, kw_only=True)
class Subscription:
    id: int
    agency: Agency
    canned_report: CannedReport


@dataclass(frozen=True, kw_only=True)
class Catalogue:
    agencies: tuple[Agency, ...]
    custom: tuple[CustomReport, ...]
    canned: tuple[CannedReport, ...]
    subscriptions: tuple[Subscription, ...]

    @property
    def files(self) -> frozenset[str]:
        return frozenset(report.file for report in self.custom) | frozenset(report.file for report in self.canned)


def read_catalogue(path: Path = DEMO_FOLDER / "agencies.toml") -> Catalogue:
    """Read agencies.toml. Unknown keys and undescribed canned reports are errors."""
    document = tomllib.loads(path.read_text(encoding="utf-8"))
    canned = {row["file"]: CannedReport(**row) for row in document["canned_report"]}
    entries = [(_agency(row), row) for row in document["agency"]]
    return Catalogue(
        agencies=tuple(agency for agency, _ in entries),
        custom=tuple(
            CustomReport(agency=agency, **custom) for agency, row in entries for custom in row.get("custom", ())
        ),
        canned=tuple(canned.values()),
        subscriptions=tuple(
            subscription for agency, row in entries for subscription in _subscriptions(agency, row, canned)
        ),
    )


def query_of(file: str) -> str:
    return (DEMO_FOLDER / "reports" / f"{file}.sql").read_text(encoding="utf-8").strip()


def _agency(row: Mapping[str, Any]) -> Agency:
    return Agency(id=row["id"], slug=row["slug"], name=row["name"])


def _subscriptions(
    agency: Agency, row: Mapping[str, Any], canned: Mapping[str, CannedReport]
) -> Iterator[Subscription]:
    for entry in row.get("subscription", ()):
        yield Subscription(id=entry["id"], agency=agency, canned_report=canned[entry["canned_report"]])
