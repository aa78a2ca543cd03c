"""Chooses the result of each lab that speaks today, and says how it stands; it never repairs a result."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from types import MappingProxyType

from cds_service.engine.adjustment import calculated, capped
from cds_service.engine.bands import Person, bands_of, default_range, direction_of
from cds_service.model.decision import Reading
from cds_service.model.definitions import Lab
from cds_service.model.facts import Fact, Measurement, PatientFacts, When
from cds_service.model.parts import MARKED, Derivation, Limit

BEFORE_ONSET = "before-onset"
"""Remark: a normal result so long before the onset that it excludes nothing."""
BEFORE_CHANGE = "before-change"
"""Remark: a normal result from before an event that can alter it, so that it excludes nothing."""
ADULT_RANGE = "adult-range"
"""Remark: the result of a child was placed by the default range, which was set for adults."""
NOT_BY_ITSELF = "not-by-itself"
"""Remark: the result says nothing without its companion."""
NOT_CALCULATED = "not-calculated"
"""Remark: the calculated value would mislead for this person and was left out."""
CALCULATED = "calculated"

_NOTHING: frozenset[str] = frozenset()
_ADULT_AGE = 18
_CONFLICT_HOURS = 24
_DAY = len("2026-06-15")


def number_of(limit: Limit) -> Decimal:
    """Return the number that a limit compares with."""
    return next(
        value for value in (limit.below, limit.at_most, limit.above, limit.at_least) if value is not None
    )


def fixed_limits(labs: Mapping[str, Lab]) -> dict[str, dict[str, tuple[Limit, Decimal]]]:
    """Return the limits of the labs whose limits are the same for everybody."""
    return {
        name: {band: (limit, number_of(limit)) for band, limit in lab.limits.items()}
        for name, lab in labs.items()
        if all(not limit.instead and limit.times_upper is None for limit in lab.limits.values())
    }


class Readings:
    """The readings of one patient, made on demand and kept."""

    def __init__(  # noqa: PLR0913 - one argument per thing that a reading depends on
        self,
        labs: Mapping[str, Lab],
        facts: PatientFacts,
        today: date,
        onset: When | None,
        is_present: Callable[[str], bool],
        *,
        facts_behind: Callable[[str], tuple[Fact, ...]] = lambda _finding: (),
        fixed: Mapping[str, dict[str, tuple[Limit, Decimal]]] = MappingProxyType({}),
    ) -> None:
        """`is_present` answers for a finding; limits that are not among the `fixed` ones may depend on one.

        `facts_behind` returns the facts of a finding, whose dates tell when something changed.
        """
        self._labs = labs
        self._fixed = fixed
        self._facts = facts
        self._today = today
        self._onset = onset
        self._is_present = is_present
        self._facts_behind = facts_behind
        self._made: dict[str, Reading] = {}
        self._with_results = frozenset(
            name for name, lab in labs.items() if name in facts.measurements or _can_derive(lab, facts)
        )

    def has_results(self, lab_id: str) -> bool:
        """Whether anything of this lab was received, or can be calculated."""
        return lab_id in self._with_results

    def of_all(self) -> Mapping[str, Reading]:
        """Return how every lab stands of which anything was received, in the order of the content."""
        return {name: self.of(name) for name in self._labs if name in self._with_results}

    def of(self, lab_id: str) -> Reading:
        """Return how one lab stands."""
        made = self._made.get(lab_id)
        if made is None:
            made = self._make(self._labs[lab_id])
            self._made[lab_id] = made
        return made

    def _make(self, lab: Lab) -> Reading:
        results = self._facts.measurements.get(lab.id, ())
        if not results and lab.derived is None:
            return Reading(lab=lab.id, current=None, bands=None)
        window = self._window(lab)
        current, stale = self._choose(results, window)
        remarks: tuple[str, ...] = ()
        base_direction: str | None = None
        if current is None and lab.derived is not None:
            current, base_direction, remarks = self._derive(lab, lab.derived)
        if current is None:
            return self._stale_reading(lab, stale, remarks)
        if lab.yields_to is not None and self.of(lab.yields_to).bands is not None:
            return Reading(lab=lab.id, current=current, bands=None, superseded=True)
        person = self._person(lab)
        bands, more = bands_of(lab, current, person, self._limits(lab, current))
        remarks += more
        if bands is not None and self._is_by_adult_range(current):
            remarks += (ADULT_RANGE,)
        if current.calculated:
            bands = capped(bands, base_direction)
        if bands is not None and not self._speaks_alone(lab, bands):
            bands, remarks = None, (*remarks, NOT_BY_ITSELF)
        if bands is not None and self._is_before_onset(lab, current, bands):
            bands, remarks = None, (*remarks, BEFORE_ONSET)
        elif bands is not None and self._is_before_change(lab, current, bands):
            bands, remarks = None, (*remarks, BEFORE_CHANGE)
        earlier = _earlier(lab, current, results, person) if len(results) > 1 else None
        return Reading(lab=lab.id, current=current, bands=bands, earlier=earlier, remarks=remarks)

    def _speaks_alone(self, lab: Lab, bands: frozenset[str]) -> bool:
        """Whether a result needs no companion, has it, or is too far out to keep silent about."""
        if lab.only_with is None or self._is_present(lab.only_with):
            return True
        return bool(bands & MARKED)

    def _choose(
        self, results: tuple[Measurement, ...], window: int
    ) -> tuple[Measurement | None, Measurement | None]:
        """Return (newest result inside its window, newest one outside it); results are newest first."""
        oldest = self._today - timedelta(days=window)
        for result in results:
            if result.taken is None or (result.value is None and result.flag is None):
                continue
            if result.taken.latest >= oldest:
                return result, None
            return None, result
        return None, None

    def _stale_reading(self, lab: Lab, stale: Measurement | None, remarks: tuple[str, ...]) -> Reading:
        if stale is None or stale.taken is None:
            return Reading(lab=lab.id, current=None, bands=None, remarks=remarks)
        bands, _ = bands_of(lab, stale, self._person(lab), self._limits(lab, stale))
        return Reading(
            lab=lab.id,
            current=None,
            bands=None,
            stale=stale,
            stale_bands=bands or _NOTHING,
            stale_days=(self._today - stale.taken.latest).days,
            remarks=remarks,
        )

    def _window(self, lab: Lab) -> int:
        """Return for how many days a result speaks: of several shorter windows the shortest, before a longer one."""
        shorter = [window.days for window in lab.shorter_windows if self._is_present(window.when)]
        if shorter:
            return min(lab.fresh_days, *shorter)
        longer = [window.days for window in lab.longer_windows if self._is_present(window.when)]
        return max(lab.fresh_days, *longer) if longer else lab.fresh_days

    def _person(self, lab: Lab) -> Person:
        facts = self._facts
        too_young = lab.from_age is not None and (facts.age is None or facts.age < lab.from_age)
        differs = any(self._is_present(finding) for finding in lab.own_range_when)
        return Person(facts.sex, default_range_fits=not (too_young or differs), limits_fit=not too_young)

    def _limits(self, lab: Lab, measurement: Measurement) -> dict[str, tuple[Limit, Decimal]]:
        """Return the limits in force, with the number that replaces the usual one where a finding says so.

        A limit that is a multiple of the upper reference limit takes the result's own limit, else the default one.
        """
        if lab.id in self._fixed:
            return self._fixed[lab.id]
        in_force: dict[str, tuple[Limit, Decimal]] = {}
        for band, limit in lab.limits.items():
            other = next((other for other in limit.instead if self._is_present(other.when)), None)
            if other is None:
                in_force[band] = (limit, self._number(lab, limit, measurement))
            elif other.value is not None:
                in_force[band] = (limit, other.value)
        return in_force

    def _number(self, lab: Lab, limit: Limit, measurement: Measurement) -> Decimal:
        if limit.times_upper is not None:
            upper = measurement.high or default_range(lab, self._person(lab))[1]
            if upper is not None:
                return limit.times_upper * upper
        return number_of(limit)

    def _is_before_onset(self, lab: Lab, current: Measurement, bands: frozenset[str]) -> bool:
        if lab.before_onset_days is None or self._onset is None or current.taken is None:
            return False
        if not bands & {"normal", "borderline"}:
            return False
        return current.taken.latest < self._onset.earliest - timedelta(days=lab.before_onset_days)

    def _is_before_change(self, lab: Lab, current: Measurement, bands: frozenset[str]) -> bool:
        """Whether a normal result was taken before the day of an event that can alter it."""
        if current.taken is None or not bands & {"normal", "borderline"}:
            return False
        taken = current.taken.latest.isoformat()
        return any(
            fact.on is not None and len(fact.on) >= _DAY and taken < fact.on[:_DAY]
            for window in lab.shorter_windows
            if window.from_its_date and self._is_present(window.when)
            for fact in self._facts_behind(window.when)
        )

    def _is_by_adult_range(self, current: Measurement) -> bool:
        """Whether only the default range, set for adults, tells how the result of a child stands."""
        age = self._facts.age
        if age is None or age >= _ADULT_AGE:
            return False
        return current.flag is None and current.low is None and current.high is None

    def _derive(
        self, lab: Lab, derived: Derivation
    ) -> tuple[Measurement | None, str | None, tuple[str, ...]]:
        """Return (calculated result, how the base result stands by itself, remarks)."""
        base_lab = self._labs[derived.from_lab]
        base, _ = self._choose(self._facts.measurements.get(derived.from_lab, ()), self._window(base_lab))
        if base is None or base.value is None or base.comparator is not None:
            return None, None, ()
        companion = self._companion(base, derived)
        if companion is None or companion.value is None:
            return None, None, ()
        if any(self._is_present(finding) for finding in derived.not_when):
            return None, None, (NOT_CALCULATED,)
        value = base.value + derived.slope * (derived.reference - companion.value)
        value = value.quantize(Decimal(1).scaleb(-lab.decimals), ROUND_HALF_UP)
        base_direction, _ = direction_of(base_lab, base, self._person(base_lab))
        return calculated(lab, value, base, companion), base_direction, (CALCULATED,)

    def _companion(self, base: Measurement, derived: Derivation) -> Measurement | None:
        """Return the other result: of the very sample if there is one, else the newest taken close enough."""
        usable = [
            other
            for other in self._facts.measurements.get(derived.adjust_by, ())
            if other.value is not None and other.comparator is None
        ]
        if base.sample is not None:
            for other in usable:
                if other.sample == base.sample:
                    return other
        hours = derived.same_sample_hours
        return next((other for other in usable if _are_close(base.taken, other.taken, hours)), None)


def _can_derive(lab: Lab, facts: PatientFacts) -> bool:
    return lab.derived is not None and lab.derived.from_lab in facts.measurements


def _earlier(
    lab: Lab, current: Measurement, results: tuple[Measurement, ...], person: Person
) -> Measurement | None:
    """Return a result from the day before the one that speaks which would have told another story."""
    direction, _ = direction_of(lab, current, person)
    for other in results:
        if other is current or not _are_close(current.taken, other.taken, _CONFLICT_HOURS):
            continue
        told, _ = direction_of(lab, other, person)
        if told is not None and direction is not None and told != direction:
            return other
    return None


def _are_close(one: When | None, other: When | None, hours: int) -> bool:
    """Whether two moments lie within `hours`; where one has no time of day, the day must be the same."""
    if one is None or other is None:
        return False
    if one.at is not None and other.at is not None:
        return abs(one.at - other.at) <= timedelta(hours=hours)
    return one.earliest == one.latest == other.earliest == other.latest
