"""One assigned partition: its open steps and how far it is worked off, kept in agreement. Pure."""

from executor.open_steps import Change, Closed, Opened, OpenStep, OpenSteps
from executor.progress import Progress
from schemas.events import JournalRecord


class PartitionWork:
    """Work of one partition, for one assignment: a revoke ends it, an assignment begins a new one."""

    def __init__(self, partition: int, offset: int, metadata: str, end_offset: int) -> None:
        """Begin at the last commit (`offset`, `metadata`); `end_offset`: where the partition ends at present.

        Nothing is started before that end is reached: what is open then is open.
        """
        self.partition = partition
        self.steps = OpenSteps(partition)
        self.progress = Progress(offset, metadata)
        self.end_offset = end_offset
        self.open_bytes = 0
        self.live = False
        """The end was reached, and steps are started."""

    @property
    def at_end(self) -> bool:
        """What was there when the partition was assigned has been read."""
        return self.progress.next_offset >= self.end_offset

    def skip_to(self, offset: int) -> None:
        """There is nothing to read below the offset (an empty partition, or retention)."""
        if offset > self.progress.next_offset:
            self.progress.read(offset - 1, 0)

    def read(self, offset: int, record: JournalRecord, size_bytes: int) -> list[Change]:
        """Take in a record; what it changes of steps that are not known as finished."""
        changes = self.steps.apply(offset, record, size_bytes)
        if not changes:
            self.progress.read(offset, 0)
            return changes
        if self.progress.was_finished(offset):
            for change in changes:
                if change.step.offset == offset:
                    self.steps.drop(change.step)
            changes = [change for change in changes if change.step.offset != offset]
        opened = [change.step for change in changes if isinstance(change, Opened)]
        self.progress.read(offset, len(opened))
        self.open_bytes += sum(step.size_bytes for step in opened)
        for change in changes:
            if isinstance(change, Closed):
                self._finished(change.step)
        return changes

    def end(self, step: OpenStep) -> None:
        """The step is over for us: answered, or not ours to carry out."""
        if step.open:
            self.steps.drop(step)
            self._finished(step)

    def abandon(self) -> None:
        """The partition is no longer ours: its steps are over for us, and nothing of it may be committed."""
        for step in self.steps:
            self.steps.drop(step)

    def _finished(self, step: OpenStep) -> None:
        self.progress.finish(step.offset)
        self.open_bytes -= step.size_bytes
