"""How a RocksDB is opened. A worker has one for each table and partition: they share what memory they may
use.

One that is damaged is set aside and begun anew: it is a cache of its changelog, from which it is filled
again.

Faust's own settings give each a cache of 2 GiB and three write buffers of 64 MiB, unshared.
"""

import logging
import shutil
from functools import cache
from pathlib import Path

import rocksdict

Database = rocksdict.Rdict

log = logging.getLogger(__name__)

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
    """The database in that folder, made if it is not there, or is damaged. Keys and values are bytes.

    The damaged one is kept beside it (`NAME.damaged`, the latest only).
    """
    try:
        return _opened(path)
    except Exception as failure:  # rocksdict has no type of its own
        if not _is_damage(str(failure)):
            raise
        aside = path.with_name(f"{path.name}.damaged")
        log.warning("%s is damaged, set aside as %s and begun anew: %s", path, aside.name, failure)
        shutil.rmtree(aside, ignore_errors=True)
        path.rename(aside)
        return _opened(path)


def _is_damage(message: str) -> bool:
    """Whether the files themselves are wrong, as opposed to: locked, not ours, no room."""
    return message.startswith("Corruption") or "No such file or directory" in message


def _opened(path: Path) -> Database:
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
