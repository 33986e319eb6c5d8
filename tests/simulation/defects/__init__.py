"""Named mistakes, each made on purpose in one place.

The world must find every one, by a check that is meant for it.
"""

from __future__ import annotations

from collections.abc import Mapping

from tests.simulation.defects.base import Defect
from tests.simulation.defects.belonging import BELONGINGS
from tests.simulation.defects.deciding import DECIDING
from tests.simulation.defects.delivering import DELIVERING
from tests.simulation.defects.drifting import DRIFTING
from tests.simulation.defects.overlooking import OVERLOOKING
from tests.simulation.defects.planning import PLANNING
from tests.simulation.defects.reading import READING

_ALL = (*READING, *DECIDING, *DELIVERING, *DRIFTING, *PLANNING, *BELONGINGS, *OVERLOOKING)
DEFECTS: Mapping[str, Defect] = {one.name: one for one in _ALL}
