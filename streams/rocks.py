"""How a RocksDB is opened. A worker has one for each table and partition: they share what memory they may
use.

Faust's own settings give each a cache of 2 GiB and three write buffers of 64 MiB, unshared.
"""

from functools import cache
from pathlib import Path

import rocksdict

Database = rocksdict.Rdict

MIB = 1 << 20
CACHE_BYTES = 64 * MIB
BUFFERS_BYTES = 64 * MIB
BUFFER_BYTES = 8 * MIB
OPEN_FILES_MAX = 64
BLOOM_BITS = 10


@cache
def _shared() -> tuple[rocksdict.Cache, rocksdict.WriteBufferManager]:
    """One cache and one budget of write buffers for all databases of this process."""
    blocks = rocksdict.Cache(CACHE_BYTES)
    return blocks, rocksdict.WriteBufferManager.new_write_buffer_manager_with_cache(
        BUFFERS_BYTES, False, blocks
    )


def open_database(path: Path) -> Database:
    """The database in that folder, made if it is not there. Keys and values are bytes."""
    blocks, buffers = _shared()
    tables = rocksdict.BlockBasedOptions()
    tables.set_block_cache(blocks)
    tables.set_bloom_filter(BLOOM_BITS, False)
    options = rocksdict.Options(raw_mode=True)
    options.create_if_missing(True)
    options.set_block_based_table_factory(tables)
    options.set_write_buffer_manager(buffers)
    options.set_write_buffer_size(BUFFER_BYTES)
    options.set_max_write_buffer_number(2)
    options.set_target_file_size_base(BUFFER_BYTES)
    options.set_max_open_files(OPEN_FILES_MAX)
    options.set_keep_log_file_num(2)
    options.set_max_log_file_size(MIB)
    options.set_stats_dump_period_sec(0)
    return rocksdict.Rdict(str(path), options=options)


def new_batch() -> rocksdict.WriteBatch:
    """Changes that are written all or nothing, with `Database.write`."""
    return rocksdict.WriteBatch(raw_mode=True)
