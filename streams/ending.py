"""The only way out when the infrastructure is broken: end the process at once, before anything more is acked.

A graceful stop would commit what was acked so far and flush what is queued; after a lost lease or a
failed send neither may happen. What is not acked is read again by the next owner.
"""

import logging
import os
import sys
from collections.abc import Callable
from typing import NoReturn

log = logging.getLogger(__name__)

EXIT_BROKEN = 70
"""EX_SOFTWARE: the infrastructure broke or the lease was lost; a supervisor should start the process
again."""
EXIT_REFUSED = 78
"""EX_CONFIG: the process refuses to work with what it found; starting it again will not help."""

End = Callable[[str, int], NoReturn]


def end_process(reason: str, code: int = EXIT_BROKEN) -> NoReturn:
    """Log `reason` and leave without running any clean-up. Safe from every thread."""
    try:
        log.critical("ending this process (exit %d): %s", code, reason)
        logging.shutdown()
        sys.stderr.flush()
    finally:
        os._exit(code)
