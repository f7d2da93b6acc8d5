"""Who may have what of the page's server: every request passes here first, every answer gets safe headers.

Design   Guard.right() is the one place where it is decided what a request may do; the result rides in the
         scope as "right". Whoever changes something (any method but GET and HEAD) and whoever opens a WebSocket
         must come from our own page, by their Origin: no other web page can read or steer. Programs that are
         no browser, and therefore have no Origin, may use PROGRAMS, and bring their key in a header.
It serves nothing itself, and never looks into a body.
"""

import hmac

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse, RedirectResponse

WATCH, STEER = "watch", "steer"  # a viewer sees what is live; an operator sees all, and gives orders
OPERATORS = "/record/"  # what lies below it shows people who are no longer before the camera
PROGRAMS = ("/feed", "/markers", "/openapi.json", "/record", "/robots")  # and what lies below them
HARMLESS = ("GET", "HEAD")
COOKIE = "monitor_key"
NO_KEY = (
    "Open the whole address that the server printed, with its ?key=; a program sends that key as "
    "`Authorization: Bearer KEY`."
)
HEADERS = {
    "content-security-policy": "default-src 'self'; base-uri 'none'; frame-ancestors 'none'",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "cache-control": "no-cache",
}


class Guard:
    """ASGI middleware. keys: {key: right}, one of which everybody must bring; None: whoever comes may all."""

    def __init__(self, app, keys: dict[str, str] | None):
        self.app = app
        self.keys = keys

    async def __call__(self, scope, receive, send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        asked = HTTPConnection(scope)
        right = self.right(asked)
        refusal = self._refusal(asked, right)
        if refusal is None:
            await self.app({**scope, "right": right}, receive, _with_headers(send))
        else:
            await refusal(scope, receive, _with_headers(send))

    def right(self, asked: HTTPConnection) -> str | None:
        """What a request may do: STEER, WATCH, or None for nothing."""
        if self.keys is None:
            return STEER
        return self._right_of(_bearer(asked) if _is_program(asked) else asked.cookies.get(COOKIE))

    def _refusal(self, asked: HTTPConnection, right: str | None):
        """The response that keeps this request out, or None."""
        changes = asked.scope["type"] == "http" and asked.scope["method"] not in HARMLESS
        acts = changes or asked.scope["type"] == "websocket"
        if acts and not (_is_from_our_page(asked) or _is_program(asked)):
            return PlainTextResponse("Only this monitor's own page may do that.", 403)
        if right is None:
            return self._let_in(asked)
        if (changes or asked.scope["path"].startswith(OPERATORS)) and right != STEER:
            return PlainTextResponse("This page may watch, and change nothing.", 403)
        return None

    def _let_in(self, asked: HTTPConnection):
        """The way in for whoever brings the key in the address, and out for others."""
        key = asked.query_params.get("key")
        if self._right_of(key):
            response = RedirectResponse("/", 303)
            response.set_cookie(COOKIE, key, httponly=True, samesite="strict")
            return response
        return PlainTextResponse(NO_KEY, 403)

    def _right_of(self, word: str | None) -> str | None:
        """The right that a key gives; every key is compared, so that the time it takes tells nothing."""
        found = [r for k, r in self.keys.items() if hmac.compare_digest((word or "").encode(), k.encode())]
        return found[0] if found else None


def _is_from_our_page(asked: HTTPConnection) -> bool:
    host = asked.headers.get("host", "")
    return asked.headers.get("origin") in (f"http://{host}", f"https://{host}")


def _is_program(asked: HTTPConnection) -> bool:
    """Whether no browser asks, for what is there for programs; a browser that acts says where it comes from."""
    path = asked.scope["path"]
    below = any(path == place or path.startswith(f"{place}/") for place in PROGRAMS)
    return below and not ({"origin", "sec-fetch-site", "cookie"} & set(asked.headers))


def _bearer(asked: HTTPConnection) -> str | None:
    scheme, _, key = asked.headers.get("authorization", "").partition(" ")
    return key.strip() if scheme.lower() == "bearer" else None


def _with_headers(send):
    async def send_with_headers(message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message).update(HEADERS)
        await send(message)

    return send_with_headers
