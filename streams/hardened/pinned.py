"""The upstream methods that our subclasses override or lean on, with the hash of the source they were
written for.

faust-streaming 0.15.3 and aiokafka 0.14.0. A test compares; where it fails after an upgrade, read what
changed upstream, look whether ours still holds, and only then write the new hash. L1 to L8 and the laws
are those of docs/decisions/0001-faust-hardened.md.
"""

import hashlib
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

from aiokafka.consumer.fetcher import Fetcher as KafkaFetcher
from aiokafka.consumer.group_coordinator import GroupCoordinator
from aiokafka.producer import AIOKafkaProducer
from aiokafka.producer.message_accumulator import MessageAccumulator, MessageBatch
from aiokafka.producer.sender import Sender
from faust.app.base import App
from faust.sensors.monitor import Monitor
from faust.serializers.schemas import Schema
from faust.stores.rocksdb import Store
from faust.tables.base import Collection
from faust.tables.manager import TableManager
from faust.tables.recovery import Recovery
from faust.tables.table import Table
from faust.transport.consumer import Consumer, Fetcher, ThreadDelegateConsumer
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread, Producer
from faust.transport.drivers.aiokafka import Consumer as Driver
from faust.transport.producer import ProducerBuffer
from mode.threads import ServiceThread


@dataclass(frozen=True, slots=True)
class Override:
    """One upstream method, its source's hash, and what ours is for."""

    method: Callable[..., Any]
    source: str
    why: str


def source_hash(method: Callable[..., Any]) -> str:
    """Of a method as it is installed: the first 16 hex digits of its source's SHA-256."""
    return hashlib.sha256(inspect.getsource(method).encode()).hexdigest()[:16]


def getter(owner: type, name: str) -> Callable[..., Any]:
    """The function behind a property of an upstream class."""
    return cast(Callable[..., Any], vars(owner)[name].fget)


OVERRIDES: tuple[Override, ...] = (
    Override(Consumer.ack, "5fcf41cf45153475", "L1, L7: a message of another generation counts for nothing"),
    Override(
        Consumer._filter_tps_with_pending_acks, "f6f9239774234e7e", "L1: `Progress` knows what is settled"
    ),
    Override(Consumer._filter_committable_offsets, "dc5e9baf5d994485", "used as it is: asks `_new_offset`"),
    Override(Consumer._new_offset, "1d2c7ea89a7ad4f1", "L1, L2, L7: never past what is under way"),
    Override(
        Consumer._commit_offsets, "1a69799041188441", "L5: book-keeping only after a commit that worked"
    ),
    Override(Consumer.perform_seek, "0e8c130ff4b0afd8", "L8, law 7: from the commit or the watermark"),
    Override(
        Consumer.on_partitions_revoked, "d04b7ae72c6fc206", "commits what was settled before it forgets"
    ),
    Override(
        Consumer._drain_messages,
        "44a2500309e83c63",
        "L8: what is left out is fetched again; four tasks a message",
    ),
    Override(Consumer.verify_all_partitions_active, "4e0e46f5c297305d", "compares clocks of two kinds"),
    Override(Consumer.wait_empty, "e4662fe24f094819", "used as it is: waits for acks before a revoke"),
    Override(
        ThreadDelegateConsumer.seek_wait, "e9db5bbc4ceb2543", "L8: remembers where a changelog is read on"
    ),
    Override(Fetcher._fetcher.fun, "68f894f0b577d810", "used as it is: runs the drain loop"),
    Override(AIOKafkaConsumerThread._create_worker_consumer, "c2701bfc3e6f6cad", "fetch wait"),
    Override(
        KafkaFetcher._get_actions_per_node,
        "1dab2cf937d165d0",
        "used as it is: asks as `FetchPace` says",
    ),
    Override(
        AIOKafkaConsumerThread.on_start, "38b4e8bd1e10723a", "law 6: the coordinator becomes a leased one"
    ),
    Override(
        AIOKafkaConsumerThread._seek_wait, "9d221e816d940467", "used as it is: waits for the new position"
    ),
    Override(Producer._settings_extra, "a4c7bc41b6382223", "L4: idempotent, all replicas"),
    Override(Producer.send, "0b5bd08f52e5e2a9", "L4: a failed send is kept"),
    Override(Producer.flush, "36d0cb3615f65b01", "L4: fails after a failed send"),
    Override(Producer._new_producer, "e72355c3430ed02f", "law 6: hands the lease to a leased producer"),
    Override(ProducerBuffer.put, "bf26dfbc01d91088", "L3: counts what is not handed on yet"),
    Override(ProducerBuffer.flush, "26fbebb124ad9c98", "L3: until nothing is left"),
    Override(ProducerBuffer.flush_atmost, "4966e8c5f9b42eb9", "L3: without giving up"),
    Override(ProducerBuffer._send_pending, "4a9d5f932b56bc68", "L3: counts what was handed on"),
    Override(ProducerBuffer._handle_pending.fun, "78d648030fd21016", "used as it is: hands messages on"),
    Override(Recovery.on_recovery_completed, "6ef567acf072e46d", "L8: the flow is stopped first"),
    Override(Recovery._resume_streams, "d986a6710c1aca98", "L8: the flow is stopped first"),
    Override(Recovery._restart_recovery.fun, "6bd8a8558a2dffe4", "used as it is: the order of a recovery"),
    Override(
        Recovery._slurp_changelogs.fun, "7825c7e50f766d5a", "used as it is: feeds `apply_changelog_batch`"
    ),
    Override(TableManager.on_commit, "2aef0784a10ffc01", "rows carry their own changelog offset"),
    Override(Collection._new_store, "914a2bda605d38f5", "rows are kept by `RowStore`"),
    Override(Collection.on_recovery_completed, "b1526fb39ea0e77e", "law 6: names suspect rows"),
    Override(Table.on_key_set, "a370e35ca55c2c7e", "law 3: only the ledger writes"),
    Override(Table.on_key_del, "4f2900b2f9d24a08", "law 3: only the ledger deletes"),
    Override(Store.apply_changelog_batch, "ea3344d369fc4ab5", "law 6: the greatest `applied` wins"),
    Override(Store.on_rebalance, "38357aed5b7fc777", "a recovery that was cut short starts anew"),
    Override(Store.revoke_partitions, "3f85447a24fc34ff", "closes databases at once"),
    Override(Store.stop, "2e98db0eb7c7582b", "closes databases at once"),
    Override(Store._open_for_partition, "1dc4e0113d67379d", "one cache for all databases of a worker"),
    Override(Store._db_for_partition, "cb7e67d5f9efc4bc", "used as it is: a database a partition"),
    Override(Store.persisted_offset, "6f2e502fb86043a1", "used as it is: reads the key that a batch writes"),
    Override(App._on_partitions_assigned, "de932b7927db85b3", "law 6: the lease begins"),
    Override(
        App._on_partitions_revoked, "d5c895bbe57dc73a", "law 6: settle, commit, forget, then the lease ends"
    ),
    Override(App.on_start, "480d70c6c72d042d", "background tasks run before the first message"),
    Override(App.on_stop, "bfe5a933defb2324", "posts that are on their way are finished"),
    Override(GroupCoordinator._do_heartbeat, "dc1d6632aaa68e96", "law 6: renews the lease"),
    Override(
        GroupCoordinator.fetch_committed_offsets,
        "6c049c7379165952",
        "used as it is: all commits in one request",
    ),
    Override(Sender.__init__, "dae60514401a3817", "law 6: a leased sender is made like it"),
    Override(Sender._send_produce_req, "aea01ae4b6c794cc", "law 6: checked before each request"),
    Override(MessageAccumulator.__init__, "eb57f3c1d5c7657b", "a quick accumulator is made like it"),
    Override(
        MessageAccumulator.add_message, "56ff7e6c19185f83", "taken apart: what needs no wait is done at once"
    ),
    Override(MessageBatch.append, "e3ff2fc253fdd6ce", "used as it is: None when the batch is full"),
    Override(
        AIOKafkaProducer.send, "08ce81263f439838", "used as it is: where something has to be waited for"
    ),
    Override(
        Schema.compile, "d46eec5ce3195b2c", "messages reach agents undecoded, those without a value too"
    ),
    Override(AIOKafkaProducer.__init__, "fd6f2966fb3dc883", "law 6: its sender is replaced by a leased one"),
    Override(App._new_transport, "42db531312dd776f", "hands in the hardened transport"),
    Override(App._new_producer_transport, "eb3b4aa6a8961275", "the same for the producer"),
    Override(Driver._new_consumer_thread, "0870ec53dea75083", "makes our thread"),
    Override(ServiceThread.stop, "32d026539c3665b2", "closes the loop that we gave it"),
    Override(Monitor.on_message_in, "b2a9a9045b2f456c", "counts nothing"),
    Override(Monitor.on_message_out, "7c4054247cde96c3", "counts nothing"),
    Override(Monitor.on_stream_event_in, "df6d2e5f6397ce44", "counts nothing"),
    Override(Monitor.on_stream_event_out, "2d2277a6dbda754c", "counts nothing"),
    Override(getter(ProducerBuffer, "size"), "b543a978fdece62e", "L3: what is not handed on yet"),
    Override(getter(Producer, "_producer_type"), "311dc214fc435d81", "law 6: a leased producer"),
    Override(getter(TableManager, "recovery"), "f0bf5de78b4c3d23", "L8: makes `SafeRecovery`"),
)
