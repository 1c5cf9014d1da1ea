import pytest
from aiokafka.admin import AIOKafkaAdminClient


@pytest.mark.kafka
async def test_the_broker_of_the_session_answers(kafka_servers: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka_servers)
    await admin.start()
    try:
        described = await admin.describe_cluster()
    finally:
        await admin.close()
    assert len(described["brokers"]) == 1
