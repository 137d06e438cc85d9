"""Results: what the user holds after ``EventStudy(...).fit()``."""

from eventstudy.results.fitted import StudySpec
from eventstudy.results.study_results import EventStudyResults

__all__ = ["EventStudyResults", "StudySpec"]
