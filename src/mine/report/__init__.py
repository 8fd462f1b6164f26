"""The old place of :mod:`mine.reporting`; its documented names warn and work until 0.4.

``mine.report`` is a function now, which takes the place of this package: both ``mine.report(frame)`` and an import of an
old name work in either order.
"""

import sys

from mine.reporting.report import report

vars(report).update(__path__=__path__, __spec__=__spec__)  # what Python needs of a package to import from it
sys.modules[__name__] = report  # pyright: ignore[reportArgumentType]
