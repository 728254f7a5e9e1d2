"""The section of the monitoring page that says which agencies have data from today."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from django.utils import timezone

from seeder.domain.monitoring.agency_totals import AgencyAge, DataDay
from seeder.texts import Text

_MAX_AGENCIES = 12
_LABELS = {
    DataDay.PARTLY_TODAY: Text("Data partly from today"),
    DataDay.EARLIER: Text("Data from before today, oldest from"),
    DataDay.TODAY: Text("Data from today, oldest at"),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class AgencyGroup:
    """Agencies with data of the same day."""

    day: DataDay
    agencies: Sequence[tuple[AgencyAge, str]]  # with names
    more: int  # that are not shown

    @property
    def label(self) -> Text:
        return _LABELS[self.day]


def group_agencies(ages: Sequence[AgencyAge], names: Mapping[str, str]) -> Iterator[AgencyGroup]:
    """Yield the groups that have agencies, those without data from today first."""
    zone = timezone.get_current_timezone()
    today = timezone.localdate()
    shown = 0
    for day in _LABELS:
        members = [(age, names.get(age.slug, age.slug)) for age in ages if age.day_of_data(today, zone) is day]
        fitting = members[: _MAX_AGENCIES - shown]
        shown += len(fitting)
        if members:
            yield AgencyGroup(day=day, agencies=fitting, more=len(members) - len(fitting))
