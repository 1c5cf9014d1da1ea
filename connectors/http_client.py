"""The HTTP client that actions and Datadog share: connections, no cookies kept, no redirects by itself.

What an exchange means is in `http_failures`; which hosts are allowed in `actions.outbound`.
"""

from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpx

USER_AGENT = "pulsebook"


def create_http_client(connections_max: int = 200) -> httpx.AsyncClient:
    """A client; close it with `aclose`. Proxies and certificates come from the environment, as usual."""
    return httpx.AsyncClient(
        headers={"User-Agent": USER_AGENT},
        limits=httpx.Limits(
            max_connections=connections_max, max_keepalive_connections=50, keepalive_expiry=30
        ),
        follow_redirects=False,
        # One step's session must not become another's.
        cookies=CookieJar(policy=DefaultCookiePolicy(allowed_domains=[])),
    )
