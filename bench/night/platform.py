"""A platform of 200 agencies, drawn by chance and always the same: what it asks for, what the planner knows of it, and
what really happens tonight."""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from seeder.domain.manifests import Manifest, ReportType, Selection, ViewKey, group_by_view
from seeder.domain.plan import PlanInputs
from seeder.domain.view_names import ViewName

_CANNED, _CUSTOM = 40, (4, 36)  # reports written once; reports of an agency's own, at least and at most
_LONGEST = 1500.0  # seconds
_TYPICAL, _TAIL = 4.0, 1.3  # seconds; the greater, the longer the tail (log-normal)
_FROM_NIGHT_TO_NIGHT = 0.15  # how much a view's duration changes (log-normal)
_FAILS, _IS_NEW, _IS_LOCKED = 0.01, 0.01, 0.02  # of all views
_RETRIES, _LOCK_TIMEOUT = 3, 2.0  # as the settings have them by default; seconds


@dataclass(frozen=True, kw_only=True)
class Platform:
    """One night of it."""

    selection: Selection
    plan_inputs: PlanInputs
    seconds: Mapping[ViewKey, float]  # for which each view really has its seat tonight
    fails: frozenset[ViewKey]

    @property
    def dependencies(self) -> Mapping[ViewKey, tuple[ViewKey, ...]]:
        return {key: tuple(read) for key, read in self.plan_inputs.depends_on.items()}


def draw_platform(*, agencies: int, seed: int) -> Platform:
    chance = random.Random(seed)  # noqa: S311  # any fixed draw will do, guards nothing
    rows: list[tuple[ViewKey, Manifest]] = []
    reads: dict[ViewKey, tuple[ViewKey, ...]] = {}
    canned = [_key("reporting", f"canned_{number}") for number in range(_CANNED)]
    for number, key in enumerate(canned):  # a few staged on each other, as reports of a nation on those of its states
        reads[key] = (canned[number - 30],) if number >= 30 else ()
    for agency in range(agencies):
        slug = f"agency_{agency}"
        for key in chance.sample(canned, k=chance.randint(5, 25)):
            rows.append((key, _manifest(ReportType.CANNED, len(rows), key, agency, slug)))
        agency_views: list[ViewKey] = []
        for number in range(chance.randint(*_CUSTOM)):
            key = _key(slug, f"report_{number}")
            read = chance.sample(agency_views, k=min(len(agency_views), chance.choice((0, 0, 0, 1, 1, 2))))
            reads[key] = tuple(read + ([chance.choice(canned)] if chance.random() < 0.1 else []))
            agency_views.append(key)
            rows.append((key, _manifest(ReportType.CUSTOM, len(rows), key, agency, slug)))
    selection = Selection(views=group_by_view(rows))
    return _tonight(selection, reads, chance)


def _tonight(selection: Selection, reads: Mapping[ViewKey, tuple[ViewKey, ...]], chance: random.Random) -> Platform:
    seconds: dict[ViewKey, float] = {}
    expected: dict[ViewKey, timedelta] = {}
    failures: dict[ViewKey, int] = {}
    fails = set()
    for spec in selection.views:
        usual = min(_LONGEST, _TYPICAL * chance.lognormvariate(0, _TAIL))
        seconds[spec.key] = min(_LONGEST, usual * chance.lognormvariate(0, _FROM_NIGHT_TO_NIGHT))
        if chance.random() < _FAILS:  # some of them since last night, and early or late in their work
            fails.add(spec.key)
            failures |= {spec.key: chance.randint(1, 9)} if chance.random() < 0.8 else {}
            seconds[spec.key] *= chance.random()
        if chance.random() < _IS_LOCKED:  # by a reader; after some attempts it is granted, or has cost all of them
            attempts = chance.randint(1, _RETRIES + 1)
            seconds[spec.key] += sum(_LOCK_TIMEOUT + chance.uniform(0, 0.5 * 2**number) for number in range(attempts))
            fails |= {spec.key} if attempts > _RETRIES else set()
        if chance.random() >= _IS_NEW:
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
