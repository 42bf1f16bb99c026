"""Explanations as people write them."""

from __future__ import annotations

from collections.abc import Callable

from .explanation import Explanation
from .form import Form
from .question import Question


def explaining(read: Callable[[Form], Question]) -> Callable[[Form], Explanation]:
    """What reads a form as the explanation of the question that `read` reads."""

    def explanation_of(form: Form) -> Explanation:
        asked = read(form)
        return Explanation(asked, site=asked.site)

    return explanation_of
