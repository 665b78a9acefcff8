"""A remote library that costs next to nothing: pages of 1 KB projects, ready as bytes, over kept connections.

``python -m config.bench.variants.library PORT COUNT SIZE``. ``POST /change/N`` changes every hundredth project, those
whose number leaves N when divided by 100.
"""

from __future__ import annotations

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

PROJECT_BYTES = 1024
STATUSES = ("pending", "processing", "resolved", "shipped", "completed")


def project(number: int, version: int) -> dict[str, Any]:
    """Item ``number`` as it is after so many changes: each is one of its status."""
    item: dict[str, Any] = {
        "id": f"P-{number:07d}",
        "type": ("presale", "aftersales", "sales")[number % 3],
        "title": f"三号车间水泵 {number}",
        "status": STATUSES[version % len(STATUSES)],
        "customer_name": "华东机电",
        "phone": f"138{number % 100_000_000:08d}",
        "updated_at": f"2026-02-02T15:30:{version % 60:02d}+08:00",
        "stakeholders": [{"role": "customer", "user_id": f"c{number}", "name": "周女士"}],
        "contract_no": f"HT-{number}",
        "amount": "3601.50",
        "paid_at": "2026-01-30T09:00:00+08:00",
        "address": {"city": "上海", "street": "张江路 100 号"},
        "remark": "",
    }
    item["remark"] = "x" * (PROJECT_BYTES - len(json.dumps(item, ensure_ascii=False).encode()))
    return item


class Pages:
    """All pages of ``size`` projects, as bytes."""

    def __init__(self, count: int, size: int) -> None:
        self.count, self.size = count, size
        self.versions = [0] * count
        self.items = [self._item(number) for number in range(count)]
        self.join()

    def _item(self, number: int) -> bytes:
        return json.dumps(project(number, self.versions[number]), ensure_ascii=False).encode()

    def join(self) -> None:
        self.pages = [
            b'{"projects": [%s], "page": %d, "page_size": %d, "total": %d}'
            % (b", ".join(self.items[start : start + self.size]), start // self.size + 1, self.size, self.count)
            for start in range(0, self.count, self.size)
        ]

    def change(self, remainder: int) -> None:
        for number in range(remainder, self.count, 100):
            self.versions[number] += 1
            self.items[number] = self._item(number)
        self.join()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    pages: Pages

    def do_GET(self) -> None:
        query = parse_qs(urlsplit(self.path).query)
        self._answer(self.pages.pages[int(query.get("page", ["1"])[0]) - 1])

    def do_POST(self) -> None:
        self.pages.change(int(self.path.rpartition("/")[2]))
        self._answer(b"{}")

    def _answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: Any) -> None:
        """Silent."""


def main() -> None:
    port, count, size = map(int, sys.argv[1:])
    Handler.pages = Pages(count, size)
    ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()


if __name__ == "__main__":
    main()
