"""A random platform of 200 agencies, always the same: its manifests, the facts known to the planner, and the durations
and failures of tonight.
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from seeder.domain.manifests import Manifest, ReportType, Selection, ViewKey, group_by_view
from seeder.domain.plan import PlanInputs
from seeder.domain.view_names import ViewName

_CANNED, _CUSTOM = 40, (4, 36)  # canned reports; custom reports of an agency, minimum and maximum
_LONGEST = 1500.0  # seconds
_TYPICAL, _TAIL = 4.0, 1.3  # seconds; sigma of the log-normal distribution
_FROM_NIGHT_TO_NIGHT = 0.15  # sigma of a view's duration from night to night (log-normal)
_FAILS, _IS_NEW, _IS_LOCKED = 0.01, 0.01, 0.02  # shares of all views
_RETRIES, _LOCK_TIMEOUT = 3, 2.0  # the defaults of the settings; seconds


@dataclass(frozen=True, kw_only=True)
class Platform:
    """One night of the platform."""

    selection: Selection
    plan_inputs: PlanInputs
    seconds: Mapping[ViewKey, float]  # how long each view occupies its worker tonight
    fails: frozenset[ViewKey]

    @property
    def dependencies(self) -> Mapping[ViewKey, tuple[ViewKey, ...]]:
        return {key: tuple(dependencies) for key, dependencies in self.plan_inputs.depends_on.items()}


def draw_platform(*, agencies: int, seed: int) -> Platform:
    generator = random.Random(seed)  # noqa: S311  # a fixed sequence, not used for security
    rows: list[tuple[ViewKey, Manifest]] = []
    reads: dict[ViewKey, tuple[ViewKey, ...]] = {}
    canned = [_key("reporting", f"canned_{number}") for number in range(_CANNED)]
    # Some canned reports depend on each other, like national reports on those of states.
    for number, key in enumerate(canned):
        reads[key] = (canned[number - 30],) if number >= 30 else ()
    for agency in range(agencies):
        slug = f"agency_{agency}"
        for key in generator.sample(canned, k=generator.randint(5, 25)):
            rows.append((key, _manifest(ReportType.CANNED, len(rows), key, agency, slug)))
        agency_views: list[ViewKey] = []
        for number in range(generator.randint(*_CUSTOM)):
            key = _key(slug, f"report_{number}")
            dependencies = generator.sample(
                agency_views, k=min(len(agency_views), generator.choice((0, 0, 0, 1, 1, 2)))
            )
            reads[key] = tuple(dependencies + ([generator.choice(canned)] if generator.random() < 0.1 else []))
            agency_views.append(key)
            rows.append((key, _manifest(ReportType.CUSTOM, len(rows), key, agency, slug)))
    selection = Selection(views=group_by_view(rows))
    return _tonight(selection, reads, generator)


def _tonight(selection: Selection, reads: Mapping[ViewKey, tuple[ViewKey, ...]], generator: random.Random) -> Platform:
    seconds: dict[ViewKey, float] = {}
    expected: dict[ViewKey, timedelta] = {}
    failures: dict[ViewKey, int] = {}
    fails = set()
    for spec in selection.views:
        usual = min(_LONGEST, _TYPICAL * generator.lognormvariate(0, _TAIL))
        seconds[spec.key] = min(_LONGEST, usual * generator.lognormvariate(0, _FROM_NIGHT_TO_NIGHT))
        if generator.random() < _FAILS:  # some fail since last night, at any point of their duration
            fails.add(spec.key)
            failures |= {spec.key: generator.randint(1, 9)} if generator.random() < 0.8 else {}
            seconds[spec.key] *= generator.random()
        if generator.random() < _IS_LOCKED:  # by a reader; the lock is granted after some attempts or never
            attempts = generator.randint(1, _RETRIES + 1)
            seconds[spec.key] += sum(
                _LOCK_TIMEOUT + generator.uniform(0, 0.5 * 2**number) for number in range(attempts)
            )
            fails |= {spec.key} if attempts > _RETRIES else set()
        if generator.random() >= _IS_NEW:
            expected[spec.key] = timedelta(seconds=usual)
    sizes = dict.fromkeys(expected, 1000)
    plan_inputs = PlanInputs(
        row_counts=sizes, depends_on=reads, expected_durations=expected, consecutive_failures=failures
    )
    return Platform(selection=selection, plan_inputs=plan_inputs, seconds=seconds, fails=frozenset(fails))


def _key(schema: str, name: str) -> ViewKey:
    return ViewKey(database="default", name=ViewName(schema=schema, name=name))


def _manifest(kind: ReportType, number: int, key: ViewKey, agency: int, slug: str) -> Manifest:
    return Manifest(
        report_type=kind,
        manifest_id=number,
        table_name=str(key.name),
        report_name=key.name.name,
        agency_id=agency,
        agency_slug=slug,
        query="SELECT 1",
    )
