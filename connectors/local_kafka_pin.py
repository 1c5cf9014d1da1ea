"""Writes `kafka_jars.sha256` anew after a change of KAFKA_VERSION: `make kafka-jars`; needs the network.

Resolves the broker's run-time dependencies with jgo and pins each jar; the file's diff is what a reviewer
reads.
"""

import sys
import tempfile
from pathlib import Path

from jgo.maven import MavenContext

from connectors.local_kafka_download import download
from connectors.local_kafka_jars import KAFKA_VERSION, PIN_FILE, sha256_of

ROOT = f"org.apache.kafka:kafka_2.13:{KAFKA_VERSION}"


def run_time_coordinates(repo_cache: Path) -> list[str]:
    """group:artifact:version of everything on the broker's class path, sorted."""
    context = MavenContext(repo_cache=repo_cache, timeout=60)
    inputs, transitive = context.resolver.resolve([context.create_dependency(ROOT)])
    found = {(d.groupId, d.artifactId, d.version) for d in [*inputs, *transitive]}
    # Kafka's own distribution adds the bridge from slf4j to log4j2; its POM does not name it.
    log4j = next(version for _, artifact, version in found if artifact == "log4j-core")
    found.add(("org.apache.logging.log4j", "log4j-slf4j-impl", log4j))
    return sorted(":".join(part) for part in found)


def main() -> int:
    with tempfile.TemporaryDirectory() as scratch:
        lines = [f"# Apache Kafka {KAFKA_VERSION} by `make kafka-jars`: SHA-256, bytes, Maven coordinate"]
        for coordinate in run_time_coordinates(Path(scratch)):
            jar = download(coordinate, Path(scratch))
            lines.append(f"{sha256_of(jar)} {jar.stat().st_size} {coordinate}")
    PIN_FILE.write_text("\n".join(lines) + "\n")
    sys.stdout.write(f"{PIN_FILE.name}: {len(lines) - 1} jars of {ROOT}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
