"""The released TinyEmo sets, read into this project's records."""

from tinyemo_data.synthesis.export.released.importing import import_released
from tinyemo_data.synthesis.export.released.report import ReleasedReport
from tinyemo_data.synthesis.export.released.sets import RELEASED

__all__ = ["RELEASED", "ReleasedReport", "import_released"]
