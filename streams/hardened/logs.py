"""Log levels of the libraries under us. Making debug records that nobody prints cost 12 % of a worker's
CPU."""

import logging

QUIET = ("aiokafka", "kafka", "faust", "mode")


def quiet_libraries(level: int = logging.WARNING) -> None:
    """Let the libraries log from `level` on, whatever the root logger says."""
    for name in QUIET:
        logging.getLogger(name).setLevel(level)
