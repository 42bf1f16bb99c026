"""What a chart stands beside: its address, and who is meant."""

from __future__ import annotations

from expost.query.question import Comparable, Question

from .desk import Pairs


def beside_pairs(pairs: Pairs, question: Comparable, compared: Question) -> Pairs:
    """The address of the question that `question`, which has the address `pairs`, stands beside.

    >>> beside_pairs((("step", "a"), ("compare", "cohort:B")), Comparable(compare="cohort:B"), Question())
    (('step', 'a'), ('cohort', 'B'))
    """
    if question.compared_name is not None:
        kept = [(name, value) for name, value in pairs if name not in ("cohort", "compare")]
        return (*kept, ("cohort", question.compared_name))
    kept = [(name, value) for name, value in pairs if name not in ("from", "to", "last", "compare")]
    sides = (("from", compared.start), ("to", compared.end))
    return (*kept, *((name, str(moment)) for name, moment in sides))
