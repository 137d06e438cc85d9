from .core import Covariance as Covariance
from .core import CrossSection as CrossSection
from .core import Past as Past
from .core import Weights as Weights
from .core import cross_section as cross_section
from .tables import regression_table as regression_table
