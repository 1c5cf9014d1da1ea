"""The cache of decoded rows keeps its bounds."""

from streams.row_cache import RowCache


def test_the_least_recently_used_rows_go_first() -> None:
    cache: RowCache[str] = RowCache(rows_max=2)
    cache.put(0, b"a", "A", 1, 10)
    cache.put(0, b"b", "B", 2, 10)
    assert cache.get(0, b"a") == ("A", 1)
    cache.put(0, b"c", "C", 3, 10)
    assert cache.get(0, b"b") is None
    assert cache.get(0, b"a") == ("A", 1)
    assert len(cache) == 2


def test_large_rows_are_bounded_by_their_bytes() -> None:
    cache: RowCache[str] = RowCache(bytes_max=100)
    for number in range(10):
        cache.put(0, b"%d" % number, "row", number, 40)
    assert len(cache) == 2
    assert cache.size_bytes == 80


def test_a_row_that_is_put_again_counts_once() -> None:
    cache: RowCache[str] = RowCache()
    cache.put(0, b"a", "A", 1, 10)
    cache.put(0, b"a", "AA", 2, 20)
    assert cache.size_bytes == 20
    assert cache.get(0, b"a") == ("AA", 2)


def test_a_revoked_partition_leaves_nothing() -> None:
    cache: RowCache[str] = RowCache()
    cache.put(0, b"a", "A", 1, 10)
    cache.put(1, b"a", "B", 1, 10)
    cache.revoke({0})
    assert cache.get(0, b"a") is None
    assert cache.get(1, b"a") == ("B", 1)
    assert cache.size_bytes == 10
