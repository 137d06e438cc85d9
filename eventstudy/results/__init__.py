"""Results: what the user holds after ``EventStudy(...).fit()``."""

from eventstudy.results.core import EventStudyResults
from eventstudy.results.spec import StudySpec

__all__ = ["EventStudyResults", "StudySpec"]
