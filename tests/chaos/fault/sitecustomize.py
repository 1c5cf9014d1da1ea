"""A worker's process with a fault of ours in its engine: Python imports this at the start of a process whose
PYTHONPATH names this folder.
"""

from tests.chaos.fault.faulty import put_in

put_in()
