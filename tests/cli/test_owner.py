"""A process knows whether it is one of `pulsebook up`."""

import os
import subprocess
import sys

from cli.owner import OWNER_FD_VARIABLE

PROGRAM = "from cli.owner import end_with_owner, is_owned; end_with_owner(); print(is_owned())"


def answer(**environment: str) -> str:
    read, write = os.pipe()
    try:
        given = {name: value.format(read=read) for name, value in environment.items()}
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM],
            env={**os.environ, **given},
            pass_fds=(read,),
            capture_output=True,
            text=True,
            timeout=30,
            check=True,
        )
    finally:
        os.close(read)
        os.close(write)
    return done.stdout.strip()


def test_only_a_child_of_up_is_owned() -> None:
    assert answer(**{OWNER_FD_VARIABLE: "{read}"}) == "True"
    assert answer() == "False"
