"""How the tests of the page's server ask it, as a program does that is no browser."""

import http.client
import json
from urllib.parse import urlsplit

WAIT_S = 20


def ask(monitor, path, wish=None, method=None, **headers):
    """(status, headers, body) of a GET, or of a POST of `wish`: bytes, or what JSON can say."""
    place = urlsplit(monitor.url)
    line = http.client.HTTPConnection("127.0.0.1", place.port, timeout=WAIT_S)
    body = None if wish is None else wish if isinstance(wish, bytes) else json.dumps(wish)
    line.request(method or ("GET" if wish is None else "POST"), path, body, headers)
    answer = line.getresponse()
    body = answer.read()
    line.close()
    return answer.status, dict(answer.getheaders()), body


def keys_of(monitor):
    """{right: headers with its key} of a monitor that has keys."""
    urls = {"steer": monitor.url, "watch": monitor.url_to_watch}
    return {right: {"Authorization": f"Bearer {url.partition('key=')[2]}"} for right, url in urls.items()}
