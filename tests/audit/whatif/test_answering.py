"""The empty value of a declared output, and what a spool keeps."""

from audit.whatif.answering import empty
from audit.whatif.spool import Kept, Spool
from connectors.actions.registry import specs


def test_an_empty_output_has_every_part_that_the_action_declares() -> None:
    assert empty(specs()["http.request"].outputs) == {"status": 0, "headers": {}, "body": None}
    assert empty(specs()["log"].outputs) == {"message": None}
    assert (empty(None), empty({"type": ["string", "null"]}), empty({"type": "array"})) == (None, None, [])


def good(output: bytes) -> Kept:
    return Kept("succeeded", "", "", output, 5, 4, 60)


def test_the_first_answer_of_an_attempt_counts() -> None:
    with Spool() as spool:
        spool.keep_answer("r-1", "get", 1, "asked", good(b"1"))
        spool.keep_answer("r-1", "get", 1, "asked", good(b"2"))
        assert spool.answers("r-1", "asked", 1) == [("get", good(b"1"))]
        assert spool.answers("r-1", "other", 1) == spool.answers("r-2", "asked", 1) == []
        assert spool.last_good("r-1", "get") == good(b"1")


def test_the_latest_example_counts_in_whatever_order_they_are_read() -> None:
    for order in ((1, 2, 3), (3, 1, 2)):
        with Spool() as spool:
            for at_ms in order:
                spool.keep_example("fix", "get", "does", at_ms, "r-1", good(str(at_ms).encode()))
            spool.keep_example("fix", "get", "does", 3, "r-0", good(b"0"))
            found = spool.example("fix", "get", "does")
            assert found is not None and found.output == b"3"
            assert spool.example("fix", "get", "else") is None
