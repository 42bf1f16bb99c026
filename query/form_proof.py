"""Explanations as people write them."""

from __future__ import annotations

from .explanation import Explanation
from .form import Form
from .form_funnel import funnel_of
from .form_retention import retention_of


def explanation_of(form: Form) -> Explanation:
    """The rules of the funnel, or of the retention, in the form."""
    asked = retention_of(form) if "start_event" in form else funnel_of(form)
    return Explanation(asked, site=asked.site)
