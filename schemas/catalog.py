"""Topic `catalog` (one partition, for ever): playbook revisions, active names, endpoints, tokens, switches.

Every change says who, when and why. A name's latest record is what holds; revisions are never deleted.
"""

from typing import Annotated, Literal

from schemas.fields import Json, Record, doc

Role = Literal["viewer", "operator", "admin", "owner"]


class CatalogRecord(Record, frozen=True, kw_only=True):
    """What every change of the catalog carries."""

    actor: Annotated[str, doc("Who changed it.")]
    at_ms: Annotated[int, doc("When (the writer's clock).")]
    reason: Annotated[str, doc("Why.")] = ""


class RevisionAdded(CatalogRecord, frozen=True, kw_only=True):
    """Key `revision/DIGEST`. A playbook's content; its digest is its identity."""

    digest: Annotated[str, doc("SHA-256 (hex) of the canonical form.")]
    playbook: Annotated[str, doc("Playbook name.")]
    canonical: Annotated[str, doc("Canonical JSON of the playbook: what is run.")]
    source: Annotated[str, doc("The YAML text as it was applied, with comments.")]


class PlaybookSet(CatalogRecord, frozen=True, kw_only=True):
    """Key `playbook/NAME`. Which revision is active, and whether alerts may start it."""

    name: Annotated[str, doc("Playbook name.")]
    digest: Annotated[str, doc("Digest of the active revision; empty when the playbook was removed.")]
    enabled: Annotated[bool, doc("Whether anything may start it.")] = True


class EndpointSet(CatalogRecord, frozen=True, kw_only=True):
    """Key `endpoint/NAME`. Tokens are kept as hashes only."""

    name: Annotated[str, doc("Endpoint name.")]
    token_sha256: Annotated[str, doc("SHA-256 (hex) of the token in its URL.")]
    old_token_sha256: Annotated[str, doc("SHA-256 of the token before it; empty when none.")] = ""
    old_valid_until_ms: Annotated[int, doc("Until when the old token is accepted.")] = 0
    deleted: Annotated[bool, doc("The endpoint is gone.")] = False


class TokenSet(CatalogRecord, frozen=True, kw_only=True):
    """Key `token/NAME`. An API token, as a hash only."""

    name: Annotated[str, doc("Token name: the actor in every change made with it.")]
    token_sha256: Annotated[str, doc("SHA-256 (hex) of the token.")]
    role: Annotated[Role, doc("What it may do.")]
    deleted: Annotated[bool, doc("The token is gone.")] = False


class SwitchSet(CatalogRecord, frozen=True, kw_only=True):
    """Key `switch/NAME`. A setting of the whole prefix, such as `partitions`."""

    name: Annotated[str, doc("Switch name.")]
    value: Annotated[Json, doc("Its value.")]


class RebuildReported(CatalogRecord, frozen=True, kw_only=True):
    """Key `rebuilt/TABLE/PARTITION`. A process makes rows again, or has done so: what came of a rebuild."""

    requested_at: Annotated[int, doc("Catalog offset of the request; -1: nobody asked, the rows were lost.")]
    table: Annotated[str, doc("`admissions`, `runs`, `notified`, or `read-model`.")]
    partition: Annotated[int, doc("Its partition; -1 for a read model, which has all of them.")] = -1
    state: Annotated[Literal["begun", "done"], doc("Where it stands.")]
    rows: Annotated[int, doc("Rows there are now; of a read model, the records it was made from.")] = 0
    equal: Annotated[int, doc("Rows that were there, and came out the same.")] = 0
    differing: Annotated[int, doc("Rows that were wrong, missing, or one too many.")] = 0
    kept: Annotated[int, doc("Rows that stay as they were: the topics no longer tell all of them.")] = 0
    examples: Annotated[tuple[str, ...], doc("Keys of some rows that differed.")] = ()
    since_ms: Annotated[int, doc("Since when the topic is kept; 0: from its beginning.")] = 0
    took_ms: Annotated[int, doc("How long it took.")] = 0


CatalogChange = RevisionAdded | PlaybookSet | EndpointSet | TokenSet | SwitchSet
