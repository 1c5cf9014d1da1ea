import ast
from dataclasses import asdict
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from settings import Settings, reference, setting_fields
from settings_reading import SecretText, SettingsError, variables

KEY = "not-to-be-seen-1f2e3d"


def problems_of(environment: dict[str, str], file: Path | None = None) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as caught:
        Settings.read(environment, file)
    return caught.value.problems


ROOMS_THAT_COMPOSE = ("cli",)


def test_without_anything_set_the_defaults_are_in_force() -> None:
    settings = Settings.read({})
    assert settings.topic_prefix == "pulsebook."
    assert settings.partitions == 12
    assert settings.executor_concurrency == 64
    assert settings.origins == {}


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "pulsebook.toml"
    file.write_text(
        "partitions = 6\nPULSEBOOK_REPLICATION = 2\n"
        'outbound_hosts = ["a.example", "b.example"]\nauth = true\n'
    )
    settings = Settings.read({"PULSEBOOK_PARTITIONS": "8"}, file)
    assert (settings.partitions, settings.replication) == (8, 2)
    assert settings.outbound_hosts == ("a.example", "b.example")
    assert settings.origins["partitions"] == "PULSEBOOK_PARTITIONS"
    assert settings.origins["replication"] == f"{file}: replication"


def test_an_empty_variable_counts_as_absent() -> None:
    assert Settings.read({"PULSEBOOK_PARTITIONS": ""}).partitions == 12


def test_all_problems_are_reported_together(tmp_path: Path) -> None:
    file = tmp_path / "pulsebook.toml"
    file.write_text("partition = 6\n[kafka]\nservers = 1\n")
    environment = {
        "PULSEBOOK_PARTITIONS": "many",
        "PULSEBOOK_KAFKA": "localhost",
        "PULSEBOOK_KAFKA_SECURITY": "SASL_SSL",
        "PULSEBOOK_PUBLIC_URL": "ftp://example.com",
        "PULSEBOOK_AUTH": "off",
        "PULSEBOOK_WEB_HOST": "0.0.0.0",  # noqa: S104 - the very thing that must be refused
    }
    found = problems_of(environment, file)
    assert len(found) == 7
    assert "PULSEBOOK_PARTITIONS must be a whole number from 1 to 1000, not 'many'" in found
    assert "PULSEBOOK_KAFKA must be HOST:PORT, several of them with commas between, not 'localhost'" in found
    assert f"{file}: there is no setting 'partition'" in found
    assert f"{file}: kafka must be a plain value, not a table" in found


def test_a_file_that_is_not_toml_is_one_clear_problem(tmp_path: Path) -> None:
    file = tmp_path / "pulsebook.toml"
    file.write_text("partitions: 6")
    (problem,) = problems_of({}, file)
    assert problem.startswith(f"{file} cannot be read: ")


def test_a_file_that_was_named_must_exist(tmp_path: Path) -> None:
    absent = tmp_path / "absent.toml"
    assert Settings.read({}, absent).partitions == 12
    with pytest.raises(SettingsError, match="does not exist"):
        Settings.read({}, absent, file_must_exist=True)


def test_load_reads_the_file_that_the_environment_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "other.toml"
    file.write_text('topic_prefix = "other."\n')
    monkeypatch.setenv("PULSEBOOK_CONFIG", str(file))
    assert Settings.load().topic_prefix == "other."


@pytest.mark.parametrize(
    ("environment", "part"),
    [
        ({"PULSEBOOK_TOPIC_PREFIX": "a b"}, "PULSEBOOK_TOPIC_PREFIX must be"),
        ({"PULSEBOOK_JOURNAL_KEPT_DAYS": "0"}, "from 1 to 36500, or forever"),
        ({"PULSEBOOK_KAFKA": "a:1,b:99999"}, "PULSEBOOK_KAFKA must be"),
        ({"PULSEBOOK_DD_URL": "http://"}, "PULSEBOOK_DD_URL must be"),
        ({"PULSEBOOK_AUTH": "maybe"}, "must be on or off, not 'maybe'"),
        ({"PULSEBOOK_LOG_LEVEL": "loud"}, "must be one of DEBUG, INFO, WARNING, ERROR"),
        ({"PULSEBOOK_ROW_BYTES_MAX": "20000"}, "PULSEBOOK_STEP_OUTPUT_BYTES_MAX must be less"),
        ({"PULSEBOOK_KAFKA_SSL_KEY_FILE": "/no/key.pem"}, "go together"),
        ({"PULSEBOOK_KAFKA_SSL_CA_FILE": "/no/ca.pem"}, "there is no file /no/ca.pem"),
        ({"PULSEBOOK_RECORD_BYTES_MAX": "600000", "PULSEBOOK_WEBHOOK_BODY_BYTES_MAX": "900000"}, "BODY"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_said_in_a_sentence(environment: dict[str, str], part: str) -> None:
    assert part in "\n".join(problems_of(environment))


def test_datadogs_own_variables_are_understood_and_ours_win() -> None:
    assert Settings.read({"DD_SITE": "datadoghq.eu"}).dd_site == "datadoghq.eu"
    assert (
        Settings.read({"DD_SITE": "datadoghq.eu", "PULSEBOOK_DD_SITE": "ddog-gov.com"}).dd_site
        == "ddog-gov.com"
    )


def test_a_secret_is_never_shown() -> None:
    settings = Settings.read({"DD_API_KEY": KEY, "PULSEBOOK_TOKEN": KEY})
    assert settings.dd_api_key is not None
    assert settings.dd_api_key.reveal() == KEY
    assert (
        KEY not in f"{settings} {settings!r} {settings.described()} {settings.dd_api_key} {asdict(settings)}"
    )
    assert ("PULSEBOOK_DD_API_KEY", "***", "DD_API_KEY") in settings.described()


def test_a_secret_is_not_shown_in_a_complaint_about_others(tmp_path: Path) -> None:
    file = tmp_path / "pulsebook.toml"
    file.write_text(f'dd_api_key = "{KEY}"\npartitions = 0\n')
    assert KEY not in "\n".join(problems_of({"PULSEBOOK_KAFKA_SASL_PASSWORD": KEY}, file))


def test_kafka_options_carry_what_a_client_needs() -> None:
    settings = Settings(
        kafka="broker:9093",
        kafka_security="SASL_SSL",
        kafka_sasl_username="pulsebook",
        kafka_sasl_password=SecretText("word"),
    )
    options = settings.kafka_options()
    assert options["bootstrap_servers"] == "broker:9093"
    assert options["ssl_context"].check_hostname
    assert options["sasl_mechanism"] == "SCRAM-SHA-512"
    assert options["sasl_plain_password"] == "word"
    assert Settings(kafka="a:1").kafka_options() == {
        "bootstrap_servers": "a:1",
        "security_protocol": "PLAINTEXT",
    }


@given(
    st.dictionaries(st.sampled_from([variables(each)[0] for each in setting_fields()]), st.text(max_size=30))
)
def test_any_environment_gives_settings_or_problems(environment: dict[str, str]) -> None:
    try:
        settings = Settings.read(environment)
    except SettingsError as refused:
        assert refused.problems
    else:
        assert set(settings.origins) <= {each.name for each in setting_fields()}


def test_every_setting_is_documented_as_it_is() -> None:
    documented = Path(__file__).parents[1].joinpath("docs", "settings.md").read_text()
    assert documented.endswith("\n\n" + reference()), "run `make docs`"


def test_a_path_in_the_home_of_nobody_is_a_problem_and_no_crash() -> None:
    with pytest.raises(SettingsError, match="PULSEBOOK_DATA_DIR"):
        Settings.read({"PULSEBOOK_DATA_DIR": "~nobody-of-that-name/data"})


def test_every_setting_has_an_effect_or_says_that_it_has_none_yet() -> None:
    root = Path(__file__).parents[1]
    files = [path for room in ROOMS_THAT_COMPOSE for path in (root / room).rglob("*.py")]
    used = {name for path in files for name in _read_of(path, "settings")} | set(
        _read_of(root / "settings.py", "self")
    )
    without = {
        each.name
        for each in setting_fields()
        if each.name not in used and not each.metadata["meaning"].endswith("not used yet")
    }
    assert not without


def _read_of(path: Path, holder: str) -> list[str]:
    """Attributes that a file reads of what ends with that name: `settings.x`, `self.settings.x`,
    `load_settings().x`.
    """
    found = (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Attribute))
    return [node.attr for node in found if ast.unparse(node.value).removesuffix("()").endswith(holder)]
