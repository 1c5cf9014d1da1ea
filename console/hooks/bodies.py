"""The body of a webhook, read with bounds on its size; the bound on its time is the caller's."""

from litestar.types import Receive


class BodyTooLarge(Exception):
    """More bytes than allowed. What came of it was dropped as it came."""


class ClientGone(Exception):
    """The client closed the connection before the body was whole."""


async def read_body(receive: Receive, declared: int | None, bytes_max: int) -> bytes:
    """The whole body. Raises BodyTooLarge as soon as that is known, ClientGone."""
    if declared is not None and declared > bytes_max:
        raise BodyTooLarge
    body, more = await _next(receive)
    if more:
        parts = bytearray(body)
        while more and len(parts) <= bytes_max:
            body, more = await _next(receive)
            parts += body
        body = bytes(parts)
    if len(body) > bytes_max:
        raise BodyTooLarge
    return body


async def _next(receive: Receive) -> tuple[bytes, bool]:
    """The next part, and whether more follows. Raises ClientGone."""
    message = await receive()
    if message["type"] != "http.request":
        raise ClientGone
    return message.get("body", b""), message.get("more_body", False)
