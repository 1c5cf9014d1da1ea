"""What handlers of the API share in reading a request: parameters of lists, the parts, who asks."""

from typing import Annotated, Any

import msgspec
from litestar import Request
from litestar.di import NamedDependency
from litestar.params import QueryParameter, SkipValidation

from console.access import Principal
from console.paging import LIMIT_MAX
from console.parts import Parts
from console.problems import Problem
from console.read_model.model import ReadModel

Given = NamedDependency[SkipValidation[Parts]]
"""The parts, injected as `parts`."""
Limit = Annotated[int, QueryParameter(ge=1, le=LIMIT_MAX, description="Items of a page.")]
Cursor = Annotated[str, QueryParameter(description="`next` of the page before.")]
Since = Annotated[str, QueryParameter(description="2h, 7d, ISO 8601 or epoch milliseconds.")]
Until = Annotated[str, QueryParameter(description="The same; up to that moment, without it.")]
Asked = Request[Principal, Any, Any]

NAME = r"^[a-z0-9][a-z0-9_-]{0,63}$"
Name = Annotated[
    str, msgspec.Meta(pattern=NAME, description="Lower-case letters, digits, - and _; 64 at most.")
]
REASON_MAX = 1_000
ReasonText = Annotated[str, msgspec.Meta(max_length=REASON_MAX, description="Why, for the record.")]


class Body(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of request bodies: a member that nobody knows is refused, not ignored."""


class Reason(Body, frozen=True, kw_only=True):
    """Why a change is made."""

    reason: ReasonText = ""


def model_of(parts: Parts) -> ReadModel:
    """The read model. Raises Problem where this process has none."""
    if parts.read_model is None:
        raise Problem(503, "this process has no read model")
    return parts.read_model
