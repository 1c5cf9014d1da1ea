"""Which partition a key lies in: Kafka's murmur2, as its own clients take it. In Python, for the few keys
that need it.
"""

_MASK = 0xFFFFFFFF
_M, _R, _SEED = 0x5BD1E995, 24, 0x9747B28C


def partition_of(key: bytes, partitions: int) -> int:
    """The partition of a key."""
    return (_murmur2(key) & 0x7FFFFFFF) % partitions


def _murmur2(data: bytes) -> int:
    """org.apache.kafka.common.utils.Utils.murmur2, as an unsigned number."""
    mixed = _SEED ^ len(data)
    whole = len(data) & ~3
    for at in range(0, whole, 4):
        part = int.from_bytes(data[at : at + 4], "little") * _M & _MASK
        part = (part ^ part >> _R) * _M & _MASK
        mixed = (mixed * _M & _MASK) ^ part
    rest = data[whole:]
    if rest:
        mixed = (mixed ^ int.from_bytes(rest, "little")) * _M & _MASK
    mixed = (mixed ^ mixed >> 13) * _M & _MASK
    return mixed ^ mixed >> 15
