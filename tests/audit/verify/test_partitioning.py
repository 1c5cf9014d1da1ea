"""Keys lie where Kafka's own clients put them."""

import pytest
from aiokafka.partitioner import murmur2

from audit.verify.partitioning import partition_of


@pytest.mark.parametrize(
    "key", [b"", b"a", b"ab", b"abc", b"abcd", b"r-5z3gspxmfpfg7iot3rnrtypm", "Grüße".encode()]
)
def test_a_key_lies_in_the_partition_of_kafkas_default_partitioner(key: bytes) -> None:
    for partitions in (1, 2, 4, 12, 50):
        assert partition_of(key, partitions) == (murmur2(key) & 0x7FFFFFFF) % partitions
