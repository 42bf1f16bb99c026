"""The part of a `Lake` that asks what people did: funnels, retention, trends, paths, sessions and the like."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Literal

from expost.door_asking import Asking
from expost.door_words import (
    By,
    brackets_of,
    breakdown_of,
    duration_of,
    fields_said,
    measure_of,
    properties_of,
    steps_of,
    unit_of,
)
from expost.query.activity import ACTIVITY
from expost.query.definition import Definition
from expost.query.funnel import Funnel, FunnelAnswer, Stage
from expost.query.lifecycle import Lifecycle, LifecycleAnswer
from expost.query.measure import Measure
from expost.query.paths import Paths, PathsAnswer
from expost.query.property_match import PropertyMatch, Scalar
from expost.query.question import Moment, Step
from expost.query.retention import Retention, RetentionAnswer
from expost.query.session_detail import SessionAnswer, SessionDetail
from expost.query.sessions import Sessions, SessionsAnswer
from expost.query.stickiness import Stickiness, StickinessAnswer
from expost.query.trend import Trend, TrendAnswer
from expost.query.unit import SESSION_GAP, Unit


def stage(
    step: Step,
    *,
    within: timedelta | str | None = None,
    optional: bool = False,
    where: Definition | None = None,
) -> Stage:
    """A step of a funnel with more to say: a window from the step before, optional, a narrower meaning."""
    return Stage(step, None if within is None else duration_of(within, "within"), optional, where)


class Questions(Asking):
    """Questions about steps as methods; `asked` are the other fields of the question."""

    def funnel(
        self,
        *steps: Step | Stage,
        within: timedelta | str = "7 days",
        by: By = None,
        several: str | None = None,
        exposures_from: Moment | str | None = None,
        unit: Unit | str = "person",
        gap: timedelta | str | None = None,
        **asked: Any,
    ) -> FunnelAnswer:
        """How many people went through the steps in order, within the window of their first step.

        `unit` is `person`, `session`, `device` or `group:TYPE`. With `by="flag:KEY"`, `several` says how people count
        who saw several variations (`first`, `exclude`, `as_treated`), and exposures before `exposures_from` do not
        count. `asked` may say `order` (`ordered`, `strict`, `any`), `between`, `ends_attempt`, `removes_unit` (steps),
        `over` (`day`, `week`, `month`) and `compare` (`previous`, `cohort:NAME`): see `expost.query.funnel.Funnel`.
        """
        for name in ("between", "ends_attempt", "removes_unit"):
            if name in asked:
                asked[name] = steps_of(asked[name])
        question = Funnel(
            steps,
            duration_of(within, "within"),
            by=breakdown_of(by, several, exposures_from),
            unit=unit_of(unit, gap),
            **fields_said(asked, Funnel),
        )
        return self._ask(question, FunnelAnswer)

    def retention(
        self,
        start_event: Step = ACTIVITY.name,
        return_event: Step | None = None,
        *,
        period: Literal["day", "week", "month"] = "week",
        periods: int | None = None,
        by: By = None,
        several: str | None = None,
        exposures_from: Moment | str | None = None,
        unit: Unit | str = "person",
        gap: timedelta | str | None = None,
        brackets: Sequence[tuple[int, int]] | str = (),
        **asked: Any,
    ) -> RetentionAnswer:
        """Who came back: cohorts by the period of an entry, a `start_event`; any activity unless it is said.

        `brackets` like "0,1-3,4-7" are stretches of periods. `asked` may say `entry` (`first_in_range`, `first_ever`,
        `recurring`), `mode` (`on`, `on_or_after`), `rolling` and `compare` (`previous`, `cohort:NAME`): see
        `expost.query.retention.Retention`.
        """
        question = Retention(
            start_event,
            start_event if return_event is None else return_event,
            period=period,
            periods=periods,
            by=breakdown_of(by, several, exposures_from),
            unit=unit_of(unit, gap),
            brackets=brackets_of(brackets),
            **fields_said(asked, Retention),
        )
        return self._ask(question, RetentionAnswer)

    def trend(
        self,
        of: Step,
        *,
        period: Literal["hour", "day", "week", "month"] = "day",
        by: By = None,
        several: str | None = None,
        exposures_from: Moment | str | None = None,
        unit: Unit | str = "person",
        gap: timedelta | str | None = None,
        measure: Measure | str = "events",
        per: Step | None = None,
        per_measure: Measure | str | None = None,
        **asked: Any,
    ) -> TrendAnswer:
        """Events, people and a measure per calendar period, empty ones included.

        `measure` is `events`, `people`, `per_person`, or of the numbers of a property `sum:price`, `mean:`, `min:`,
        `max:`, `median:`, `p95:`. `per` divides it by that of another definition. `asked` may say `compare="previous"`.
        """
        question = Trend(
            of,
            period=period,
            by=breakdown_of(by, several, exposures_from),
            unit=unit_of(unit, gap),
            measure=measure_of(measure),
            per=per,
            per_measure=None if per_measure is None else measure_of(per_measure),
            **fields_said(asked, Trend),
        )
        return self._ask(question, TrendAnswer)

    def stickiness(
        self,
        of: Step,
        *,
        period: Literal["day", "week", "month"] = "day",
        by: By = None,
        several: str | None = None,
        exposures_from: Moment | str | None = None,
        unit: Unit | str = "person",
        gap: timedelta | str | None = None,
        **asked: Any,
    ) -> StickinessAnswer:
        """How many people did it in how many distinct days, weeks or months of the range."""
        question = Stickiness(
            of,
            period,
            by=breakdown_of(by, several, exposures_from),
            unit=unit_of(unit, gap),
            **fields_said(asked, Stickiness),
        )
        return self._ask(question, StickinessAnswer)

    def lifecycle(
        self,
        of: Step,
        *,
        period: Literal["day", "week", "month"] = "week",
        unit: Unit | str = "person",
        gap: timedelta | str | None = None,
        **asked: Any,
    ) -> LifecycleAnswer:
        """Per period who is new, returning, resurrecting and dormant."""
        return self._ask(
            Lifecycle(
                of,
                period,
                unit=unit_of(unit, gap),
                **fields_said(asked, Lifecycle),
            ),
            LifecycleAnswer,
        )

    def paths(
        self,
        of: Step,
        *,
        direction: Literal["after", "before"] = "after",
        steps: int = 4,
        events: Sequence[Step] = (),
        groups: Sequence[str] | str = (),
        gap: timedelta | str = SESSION_GAP,
        **asked: Any,
    ) -> PathsAnswer:
        """What people did after (or before) an event in the same session: `answer.edges`, step by step.

        Steps are views of pages, called by the first glob of `groups` that fits or by their path, and `events`, called
        by their names. `asked` may say `top`, how many edges of a step are told apart.
        """
        question = Paths(
            of,
            direction,
            steps,
            events=steps_of(events),
            groups=(groups,) if isinstance(groups, str) else tuple(groups),
            gap=duration_of(gap, "gap"),
            **fields_said(asked, Paths),
        )
        return self._ask(question, PathsAnswer)

    def sessions(
        self,
        *,
        did: Step | Sequence[Step] = (),
        properties: Mapping[str, Scalar] | Sequence[PropertyMatch] = (),
        by: By = None,
        gap: timedelta | str = SESSION_GAP,
        **asked: Any,
    ) -> SessionsAnswer:
        """The sessions that began in range: `answer.figures`, `.periods`, `.groups`, and a page of them, `.sessions`.

        Only those in which all of `did` was done, and whose first event has all `properties`. `by` splits the figures
        by what the first event says. `asked` may say `person`, `device`, `period`, `order` (`latest`, `longest`,
        `most_events`), `limit` and `offset`: see `expost.query.sessions.Sessions`.
        """
        question = Sessions(
            did=steps_of(did),
            properties=properties_of(properties),
            by=breakdown_of(by),
            gap=duration_of(gap, "gap"),
            **fields_said(asked, Sessions),
        )
        return self._ask(question, SessionsAnswer)

    def session(self, session_id: str, *, gap: timedelta | str = SESSION_GAP, **asked: Any) -> SessionAnswer:
        """One session by its id: `answer.session`, and its `answer.events` in their order, the first `limit`."""
        question = SessionDetail(session_id, gap=duration_of(gap, "gap"), **fields_said(asked, SessionDetail))
        return self._ask(question, SessionAnswer)
