"""How aiokafka's errors become ours. Used by every connector that speaks to Kafka; tests know every class."""

from collections.abc import Iterator
from contextlib import contextmanager

from aiokafka import errors as kafka
from aiokafka.errors import KafkaError

from connectors.errors import NotReachable, PermanentFailure

NEVER_PASSES: tuple[type[KafkaError], ...] = (
    kafka.AuthenticationFailedError,
    kafka.AuthenticationMethodNotSupported,
    kafka.ClusterAuthorizationFailedError,
    kafka.GroupAuthorizationFailedError,
    kafka.IllegalSaslStateError,
    kafka.IncompatibleBrokerVersion,
    kafka.InvalidTopicError,
    kafka.KafkaConfigurationError,
    kafka.SaslAuthenticationFailed,
    kafka.SecurityDisabled,
    kafka.TopicAuthorizationFailedError,
    kafka.UnsupportedCodecError,
    kafka.UnsupportedSaslMechanismError,
    kafka.UnsupportedVersionError,
)
"""What somebody has to mend: settings, rights, versions. Everything else may pass by itself."""
UNANSWERED = "Unable to bootstrap"
"""In what aiokafka says where none of the named servers could be asked."""


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """Raise ours in place of aiokafka's: NotReachable, or PermanentFailure for what does not pass by itself.

    `doing`: what was tried, such as "reading from 10.0.0.1:9092".
    """
    try:
        yield
    except NEVER_PASSES as error:
        raise PermanentFailure(f"{doing}: {said(error)}") from error
    except (KafkaError, kafka.ConsumerStoppedError, OSError) as error:
        raise NotReachable(f"{doing}: {said(error)}") from error


def said(error: BaseException) -> str:
    """The error's name and what it says; of aiokafka's, which begin with their own name, that once."""
    name, text = type(error).__name__, str(error)
    if isinstance(error, kafka.KafkaConnectionError) and UNANSWERED in text:
        return "no Kafka answers there; is it running, are PULSEBOOK_KAFKA and the security settings right?"
    return text if text.startswith(name) else f"{name}: {text}" if text else name
