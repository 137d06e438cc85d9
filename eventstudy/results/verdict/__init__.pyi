from .sentences import News as News
from .text import Verdict as Verdict
from .sentences import verdict as verdict
