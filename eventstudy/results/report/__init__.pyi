from . import reproduce as reproduce
from .reproduce import fingerprints as fingerprints
from .content import study_report as study_report
from .reproduce import versions as versions
from .writers import writer as writer
