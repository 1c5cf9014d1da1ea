"""Every setting of Pulsebook, read once into one frozen object: from the environment, else `pulsebook.toml`.

Lives here: names, defaults and meaning of settings, and which of them contradict each other. How they are
read and masked is `settings_reading.py`. The field `topic_prefix` is `PULSEBOOK_TOPIC_PREFIX` in the
environment, and that or `topic_prefix` in the file. `docs/settings.md` is made from this file by `make docs`.
"""

import dataclasses
import ipaddress
import os
import socket
import ssl
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import settings_reading as as_
from settings_reading import PREFIX, SecretText, SettingsError, find, setting, shown, variables

CONFIG_FILE = Path("pulsebook.toml")
KIB = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All settings in force. Made by `Settings.load`; a test makes one with the fields it is about."""

    kafka: str = setting(
        "", as_.servers, "Kafka servers, HOST:PORT[,HOST:PORT…]; empty: `up` starts a local one"
    )
    kafka_security: str = setting(
        "PLAINTEXT",
        as_.choice("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"),
        "how to speak to Kafka: PLAINTEXT, SSL, SASL_PLAINTEXT, SASL_SSL",
    )
    kafka_sasl_mechanism: str = setting(
        "SCRAM-SHA-512",
        as_.choice("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"),
        "with SASL: PLAIN, SCRAM-SHA-256, SCRAM-SHA-512",
    )
    kafka_sasl_username: str = setting("", as_.text, "with SASL: the user")
    kafka_sasl_password: SecretText | None = setting(None, as_.secret, "with SASL: the password")
    kafka_ssl_ca_file: Path | None = setting(
        None, as_.path, "with SSL: the authorities to trust; empty: the system's"
    )
    kafka_ssl_cert_file: Path | None = setting(
        None, as_.path, "with SSL: our certificate, where Kafka wants one"
    )
    kafka_ssl_key_file: Path | None = setting(None, as_.path, "with SSL: the key of our certificate")
    kafka_ssl_key_password: SecretText | None = setting(None, as_.secret, "with SSL: the password of the key")
    schema_registry: str = setting(
        "", as_.url, "address of a Confluent schema registry, to read framed Avro on `alerts`"
    )
    session_timeout_s: int = setting(
        30,
        as_.number(2, 300),
        "how long a silent worker keeps its partitions; one silent longer may not write",
    )
    stop_grace_s: int = setting(
        25, as_.number(1, 600), "how long running steps may go on when an executor is asked to stop"
    )
    topic_prefix: str = setting("pulsebook.", as_.topic_prefix, "prefix of all topics and groups")
    partitions: int = setting(
        12, as_.number(1, 1_000), "partitions of each topic; fixed once the topics exist; `up`: 4"
    )
    replication: int = setting(3, as_.number(1, 9), "copies of each topic; `up`: 1")
    alerts_kept_days: int | None = setting(
        45, as_.kept_days, "how long alerts, admissions and dead letters are kept: days, or `forever`"
    )
    journal_kept_days: int | None = setting(
        400, as_.kept_days, "the same for decisions, run inputs, journal and publications"
    )
    executor_concurrency: int = setting(
        64, as_.number(1, 10_000), "steps that one executor carries out at once"
    )
    webhook_body_bytes_max: int = setting(256 * KIB, as_.number(KIB, 900 * KIB), "largest webhook body")
    step_output_bytes_max: int = setting(
        64 * KIB, as_.number(KIB, 512 * KIB), "largest output of a step, after `select`"
    )
    row_bytes_max: int = setting(512 * KIB, as_.number(16 * KIB, 900 * KIB), "largest state of one run")
    record_bytes_max: int = setting(
        900 * KIB, as_.number(64 * KIB, 1_900 * KIB), "largest record on any topic"
    )
    playbook_bytes_max: int = setting(256 * KIB, as_.number(KIB, 900 * KIB), "largest playbook")
    playbook_steps_max: int = setting(500, as_.number(1, 5_000), "most steps in one playbook")
    nesting_max: int = setting(10, as_.number(1, 12), "deepest nesting of lists of steps in a playbook")
    loop_items_max: int = setting(1_000, as_.number(1, 100_000), "most iterations of one loop")
    dd_site: str = setting("datadoghq.com", as_.text, "Datadog site", "DD_SITE")
    dd_api_key: SecretText | None = setting(
        None, as_.secret, "Datadog API key; without one `up` starts the sandbox", "DD_API_KEY"
    )
    dd_app_key: SecretText | None = setting(
        None, as_.secret, "Datadog application key; not used yet", "DD_APP_KEY"
    )
    dd_url: str = setting(
        "", as_.url, "address of Datadog's API in place of the site's, such as the sandbox's"
    )
    public_url: str = setting("", as_.url, "address under which Datadog reaches the webhooks")
    url: str = setting("http://127.0.0.1:8080", as_.url, "where the commands find a running Pulsebook")
    token: SecretText | None = setting(None, as_.secret, "token that the commands show it")
    auth: bool = setting(True, as_.on_or_off, "`off`: everybody is owner; only for a `web` on loopback")
    owner_token: SecretText | None = setting(
        None, as_.secret, "token that is always owner, to make the first one with"
    )
    outbound_hosts: tuple[str, ...] = setting(
        (), as_.hosts, "hosts that steps may call, with commas (`*.example.com` too); empty: any"
    )
    data_dir: Path = setting(
        Path("data"), as_.path, "folder of tables and read models, and with `up` of Kafka's data"
    )
    secrets_dir: Path | None = setting(
        None, as_.path, "folder of secrets, one file each; empty: `secrets` in the data folder"
    )
    cache_dir: Path | None = setting(
        None, as_.path, "folder of the local Kafka's jars; empty: the user's cache folder"
    )
    maven_url: str = setting(
        "", as_.url, "Maven repository from which the local Kafka's jars come; empty: Maven Central"
    )
    instance: str = setting(
        socket.gethostname,
        as_.text,
        "name of this machine or pod, the same after a restart; empty: the host's",
    )
    log_level: str = setting(
        "INFO", as_.choice("DEBUG", "INFO", "WARNING", "ERROR"), "DEBUG, INFO, WARNING, ERROR"
    )
    web_host: str = setting("127.0.0.1", as_.text, "address on which `web` listens")
    web_port: int = setting(8080, as_.number(1, 65_535), "port on which `web` listens")
    health_host: str = setting(
        "127.0.0.1", as_.text, "address of /healthz, /readyz and /metrics of the other processes"
    )
    health_port: int | None = setting(
        None, as_.number(1, 65_535), "their port; empty: processor 9101, executor 9102, sink 9103"
    )
    origins: Mapping[str, str] = field(default_factory=dict, repr=False, compare=False)
    """Where each setting that is not a default came from: a variable's name, or the file and its key."""

    @classmethod
    def load(cls) -> "Settings":
        """From this process's environment and file. Raises SettingsError with all problems."""
        named = os.environ.get(f"{PREFIX}CONFIG")
        return cls.read(os.environ, Path(named) if named else CONFIG_FILE, file_must_exist=bool(named))

    @classmethod
    def read(
        cls, environment: Mapping[str, str], file: Path | None = None, file_must_exist: bool = False
    ) -> "Settings":
        """From these. An empty variable counts as absent. Raises SettingsError with all problems."""
        found = find(setting_fields(), environment, file, file_must_exist)
        settings = cls(**found.values, origins=found.origins)
        problems = [*found.problems, *_contradictions(settings)]
        if problems:
            raise SettingsError(problems)
        return settings

    def described(self) -> list[tuple[str, str, str]]:
        """Every setting in force: name in the environment, value with secrets as ***, where it came from."""
        return [
            (variables(each)[0], shown(getattr(self, each.name)), self.origins.get(each.name, "default"))
            for each in setting_fields()
        ]

    def kafka_options(self) -> dict[str, Any]:
        """Keyword arguments of every aiokafka client: servers and security. Holds a secret: never log it."""
        options: dict[str, Any] = {"bootstrap_servers": self.kafka, "security_protocol": self.kafka_security}
        if self.kafka_security.endswith("SSL"):
            options["ssl_context"] = self._ssl_context()
        if self.kafka_security.startswith("SASL") and self.kafka_sasl_password is not None:
            options["sasl_mechanism"] = self.kafka_sasl_mechanism
            options["sasl_plain_username"] = self.kafka_sasl_username
            options["sasl_plain_password"] = self.kafka_sasl_password.reveal()
        return options

    def _ssl_context(self) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=self.kafka_ssl_ca_file)
        if self.kafka_ssl_cert_file is not None:
            password = self.kafka_ssl_key_password
            context.load_cert_chain(
                self.kafka_ssl_cert_file, self.kafka_ssl_key_file, password.reveal() if password else None
            )
        return context


def setting_fields() -> list["dataclasses.Field[Any]"]:
    """The fields of `Settings` that are settings."""
    return [each for each in dataclasses.fields(Settings) if each.metadata]


def _contradictions(settings: Settings) -> list[str]:
    """What each setting by itself allows and all together do not."""
    sasl = settings.kafka_security.startswith("SASL")
    checks = [
        (
            not sasl or bool(settings.kafka_sasl_username and settings.kafka_sasl_password),
            f"PULSEBOOK_KAFKA_SECURITY {settings.kafka_security} needs PULSEBOOK_KAFKA_SASL_USERNAME "
            "and PULSEBOOK_KAFKA_SASL_PASSWORD",
        ),
        (
            (settings.kafka_ssl_cert_file is None) == (settings.kafka_ssl_key_file is None),
            "PULSEBOOK_KAFKA_SSL_CERT_FILE and PULSEBOOK_KAFKA_SSL_KEY_FILE go together",
        ),
        (
            settings.step_output_bytes_max < settings.row_bytes_max < settings.record_bytes_max,
            "PULSEBOOK_STEP_OUTPUT_BYTES_MAX must be less than PULSEBOOK_ROW_BYTES_MAX, "
            "and that less than PULSEBOOK_RECORD_BYTES_MAX",
        ),
        (
            settings.webhook_body_bytes_max < settings.record_bytes_max,
            "PULSEBOOK_WEBHOOK_BODY_BYTES_MAX must be less than PULSEBOOK_RECORD_BYTES_MAX",
        ),
        (
            settings.auth or _is_loopback(settings.web_host),
            f"PULSEBOOK_AUTH may be off on loopback only, and PULSEBOOK_WEB_HOST is {settings.web_host}",
        ),
    ]
    files = [each for each in setting_fields() if each.name.startswith("kafka_ssl_") and "_file" in each.name]
    absent = [
        f"{variables(each)[0]}: there is no file {named}"
        for each in files
        if (named := getattr(settings, each.name)) is not None and not named.is_file()
    ]
    return [problem for fine, problem in checks if not fine] + absent


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def reference() -> str:
    """The table of all settings, as it stands in `docs/settings.md`."""
    lines = ["| setting | default | meaning |", "|---|---|---|"]
    for each in setting_fields():
        default = "" if each.default is dataclasses.MISSING else shown(each.default)
        names = ", ".join(f"`{name}`" for name in variables(each))
        lines.append(f"| {names} | {f'`{default}`' if default else ''} | {each.metadata['meaning']} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(reference())
