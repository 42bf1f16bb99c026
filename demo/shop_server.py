"""The demo shop: a few pages and a little script, served on loopback with the printed tag in every page."""

from __future__ import annotations

import argparse
import json
import mimetypes
import signal
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from threading import Thread
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

SHOP = files("expost.demo") / "shop"
CATALOGUE: dict[str, list[dict[str, Any]]] = json.loads((SHOP / "products.json").read_text("utf-8"))
CATEGORIES = {category["slug"]: category for category in CATALOGUE["categories"]}
PRODUCTS = {product["slug"]: product for product in CATALOGUE["products"]}

PLANS = [
    {"slug": "small", "name": "Small pot", "price": 12, "lines": ["One tea, 50 g", "A letter with it"]},
    {
        "slug": "regular", "name": "Regular", "price": 24,
        "lines": ["Three teas, 50 g each", "First pick of the harvest", "Free returns"],
    },
    {
        "slug": "office", "name": "Office", "price": 69,
        "lines": ["Six teas, 250 g each", "Invoice once a quarter", "Tasting by video"],
    },
]  # fmt: skip
QUESTIONS = [
    ("delivery", "How long does delivery take?", "Two to four working days by post, one by express."),
    ("returns", "Can I send tea back?", "Unopened, within thirty days, at our cost."),
    ("water", "Which water should I use?", "Soft and fresh. Boil it once, not twice."),
    ("storage", "How do I keep tea?", "Dry, dark and shut. A tin is better than a jar."),
]
TYPES = {".js": "text/javascript", ".svg": "image/svg+xml", ".css": "text/css"}

templates = Environment(
    loader=PackageLoader("expost.demo", "shop/templates"),
    autoescape=select_autoescape(),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def loading_stub() -> str:
    """The one-line stub of the snippet's documentation: it keeps calls and clicks made before the script is there."""
    return f"<script>{(files('expost.snippet') / 'dist' / 'stub.js').read_text('utf-8').strip()}</script>"


def facts_of_page(path: str) -> tuple[str, dict[str, Any]] | None:
    """The template of a path and what it shows; None where the shop has no such page."""
    match path.strip("/").split("/"):
        case [""]:
            return "home", {
                "favourites": [PRODUCTS[slug] for slug in ("sencha", "keemun", "earl-grey", "verbena")]
            }
        case ["category", slug] if slug in CATEGORIES:
            listed = [product for product in PRODUCTS.values() if product["category"] == slug]
            return "category", {"category": CATEGORIES[slug], "products": listed, "here": slug}
        case ["product", slug] if slug in PRODUCTS:
            product = PRODUCTS[slug]
            others = [other for other in PRODUCTS.values() if other["category"] != product["category"]][:4]
            category = CATEGORIES[product["category"]]
            return "product", {
                "product": product,
                "category": category,
                "others": others,
                "here": category["slug"],
            }
        case ["pricing"]:
            return "pricing", {"plans": PLANS}
        case ["help"]:
            return "help", {"questions": QUESTIONS}
        case ["cart" | "checkout" | "thanks" | "signup" as page]:
            return page, {}
        case ["account"] | ["account", "orders" | "wishlist" | "settings"]:
            return "account", {}
    return None


def render_page(path: str, tag: str) -> tuple[HTTPStatus, str]:
    """The whole HTML of a path with `tag` in its head."""
    found = facts_of_page(path)
    page, facts = found or ("missing", {})
    shared = {
        "page": page,
        "here": "",
        "categories": list(CATEGORIES.values()),
        "stub": loading_stub(),
        "tag": tag,
    }
    html = templates.get_template(f"{page}.html").render(shared | facts)
    return (HTTPStatus.OK if found else HTTPStatus.NOT_FOUND), html


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # Browsers ask for everything in a page at once.
    request_queue_size = 128


@dataclass
class ShopServer:
    """The shop on a loopback port (0 takes a free one); a context manager that serves until it is left."""

    tag: str
    port: int = 0
    _server: _Server = field(init=False, repr=False)

    def __enter__(self) -> ShopServer:
        self._server = _Server(("127.0.0.1", self.port), _handler(self))
        self.port = self._server.server_port
        Thread(target=self._server.serve_forever, name="shop", daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        """Where the shop is, without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"


def _handler(shop: ShopServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Browsers open connections ahead of need; an idle one should not hold a thread for ever.
        timeout = 30

        def do_GET(self) -> None:
            path = urlsplit(self.path).path
            if path == "/products.json":
                self._answer(HTTPStatus.OK, "application/json", (SHOP / "products.json").read_bytes())
            elif path.startswith("/static/"):
                self._static(path.removeprefix("/static/"))
            else:
                status, html = render_page(path, shop.tag)
                self._answer(status, "text/html; charset=utf-8", html.encode())

        def _static(self, name: str) -> None:
            known = {item.name: item for item in (SHOP / "static").iterdir()}
            if name not in known:
                self._answer(HTTPStatus.NOT_FOUND, "text/plain", b"No such file.")
                return
            suffix = "." + name.rpartition(".")[2]
            kind = TYPES.get(suffix) or mimetypes.types_map.get(suffix, "application/octet-stream")
            self._answer(HTTPStatus.OK, kind, known[name].read_bytes())

        def _answer(self, status: HTTPStatus, kind: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Cache-Control", "no-cache")
            # A browser that has gone on to the next page does not wait for the picture of the last.
            with suppress(ConnectionError):
                self.end_headers()
                self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  (its name in the base class)
            """Quiet: the demo's terminal is for its progress."""

    return Handler


def main() -> None:
    """Serve the shop until Ctrl-C: `python -m expost.demo.shop_server --tag '<script …>'`."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--tag", default="", help="the line that `expost serve` prints")
    parser.add_argument("--port", type=int, default=8080)
    options = parser.parse_args()
    with ShopServer(tag=options.tag, port=options.port) as shop:
        sys.stdout.write(f"{shop.url}\n")
        sys.stdout.flush()
        with suppress(KeyboardInterrupt):
            signal.pause()


if __name__ == "__main__":
    main()
