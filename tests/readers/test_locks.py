"""What the readers of `examples/readers` are made of: pinned, and nothing of Pulsebook."""

import ast
import re
import sys
from pathlib import Path

from connectors.local_kafka_jars import pinned_jars
from tests.readers.programs import READERS, ROOT

_PIN = re.compile(r"^([\w.-]+)==(\S+)", re.MULTILINE)


def test_the_reader_in_python_imports_the_standard_library_aiokafka_and_fastavro_only() -> None:
    tree = ast.parse((READERS / "python" / "reader.py").read_text())
    plain = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    parts = [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    found = {name.partition(".")[0] for name in (*plain, *parts)}
    assert found - set(sys.stdlib_module_names) == {"aiokafka", "fastavro"}


def test_the_reader_in_java_imports_nothing_of_ours() -> None:
    text = (READERS / "java" / "Reader.java").read_text()
    found = set(re.findall(r"^import ([a-z]+\.[a-z]+)", text, re.MULTILINE))
    assert {name for name in found if not name.startswith("java.")} == {"com.fasterxml", "org.apache"}


def test_the_lock_in_python_pins_what_pulsebook_itself_is_tested_with() -> None:
    ours = dict(_PIN.findall((ROOT / "requirements.lock").read_text()))
    theirs = dict(_PIN.findall((READERS / "python" / "requirements.lock").read_text()))
    wanted = re.findall(r"^[\w-]+", (READERS / "python" / "requirements.in").read_text(), re.MULTILINE)
    assert theirs.keys() >= set(wanted)
    assert {name: ours.get(name) for name in theirs} == theirs


def test_the_jars_are_those_that_the_pom_names_with_checksums() -> None:
    pinned = {jar.coordinate for jar in pinned_jars(READERS / "java" / "jars.sha256")}
    named = re.findall(
        r"<groupId>(.+)</groupId>\s*<artifactId>(.+)</artifactId>\s*<version>(.+)</version>\s*</dependency>",
        (READERS / "java" / "pom.xml").read_text(),
    )
    assert len(named) == 3
    assert {":".join(one) for one in named} <= pinned


def test_nothing_says_where_the_libraries_are_to_be_fetched() -> None:
    files = [READERS / "python" / "requirements.lock", READERS / "java" / "jars.sha256"]
    pom = (READERS / "java" / "pom.xml").read_text().replace("http://maven.apache.org/POM/4.0.0", "")
    assert [name for name in map(Path.read_text, files) if "://" in name] == []
    assert "://" not in pom
