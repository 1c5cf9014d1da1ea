"""From aiokafka's keyword arguments, which every process of ours uses, to what Faust calls a broker."""

from collections.abc import Mapping
from typing import Any

import faust
from faust.types.auth import CredentialsT


def broker_urls(kafka: Mapping[str, Any]) -> str:
    """Faust's broker setting from `bootstrap_servers` ("host:port,host:port", or a list of them)."""
    servers = kafka["bootstrap_servers"]
    if isinstance(servers, str):
        servers = servers.split(",")
    return ";".join(f"kafka://{server.strip()}" for server in servers if server.strip())


def credentials(kafka: Mapping[str, Any]) -> CredentialsT | None:
    """Faust's credentials from `security_protocol`, `ssl_context` and the `sasl_…` arguments.

    Raises ValueError for a protocol that is none of PLAINTEXT, SSL, SASL_PLAINTEXT, SASL_SSL.
    """
    protocol = kafka.get("security_protocol", "PLAINTEXT")
    match protocol:
        case "PLAINTEXT":
            return None
        case "SSL":
            return faust.SSLCredentials(kafka.get("ssl_context"))
        case "SASL_PLAINTEXT" | "SASL_SSL":
            return faust.SASLCredentials(
                username=kafka.get("sasl_plain_username"),
                password=kafka.get("sasl_plain_password"),
                ssl_context=kafka.get("ssl_context") if protocol == "SASL_SSL" else None,
                mechanism=kafka.get("sasl_mechanism"),
            )
    raise ValueError(f"the security protocol {protocol!r} is not known")
