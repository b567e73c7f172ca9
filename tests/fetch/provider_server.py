"""A provider on 127.0.0.1 for the official client in tests: it pages, throttles, breaks connections and repeats."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

#: The answer to a call of an action, from its parameters and the number of earlier calls of the action.
Action = Callable[[dict[str, str], int], "Reply | str"]


@dataclass(frozen=True)
class Reply:
    """An answer; if `cut` is given, only that number of bytes is sent."""

    text: str
    status: int = 200
    cut: int | None = None
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Call:
    action: str
    version: str
    parameters: dict[str, str]
    headers: dict[str, str]


class FakeProvider:
    """The calls that were received, in order, and the address."""

    def __init__(self, address: str, actions: dict[str, Action]) -> None:
        self.address, self.actions, self.calls = address, actions, list[Call]()

    def parameters(self, action: str) -> list[dict[str, str]]:
        return [call.parameters for call in self.calls if call.action == action]


@contextmanager
def provider(actions: dict[str, Action]) -> Iterator[FakeProvider]:
    fake = FakeProvider("", actions)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("content-length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            action = headers["x-acs-action"]
            before = len(fake.parameters(action))
            call = Call(action, headers["x-acs-version"], dict(parse_qsl(urlsplit(self.path).query)), headers)
            fake.calls.append(call)
            reply = fake.actions[action](call.parameters, before)
            self._send(reply if isinstance(reply, Reply) else Reply(reply))

        def _send(self, reply: Reply) -> None:
            body = reply.text.encode()
            self.send_response(reply.status)
            self.send_header("Content-Type", "application/json;charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            for name, value in reply.headers.items():
                self.send_header(name, value)
            if reply.cut is not None:
                self.send_header("Connection", "close")
                self.close_connection = True
            self.end_headers()
            self.wfile.write(body[: reply.cut])

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        server.block_on_close = False
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        fake.address = f"http://127.0.0.1:{server.server_address[1]}"
        try:
            yield fake
        finally:
            server.shutdown()
            thread.join()


def error(code: str, message: str = "Not now.", **more: Any) -> str:
    return json.dumps({"RequestId": "R-1", "Code": code, "Message": message, **more})


def job(number: int, duration: str = '"600.10"') -> str:
    """A job as the provider writes it, with exactly this text as its `duration`."""
    return (
        f'{{"JobId":"j-{number}","State":"TranscodeSuccess","CreationTime":"2026-10-01T02:00:00Z",'
        f'"FinishTime":"2026-10-01T03:20:00Z","Output":{{"Properties":{{"Duration":{duration}}}}}}}'
    )


def job_page(*jobs: str, token: str = "") -> str:
    return f'{{"RequestId":"R-1","JobList":{{"Job":[{",".join(jobs)}]}},"NextPageToken":"{token}"}}'


def listed(pages: dict[str, str], parameter: str = "NextPageToken") -> Action:
    """The pages of a list by their tokens; the first page has the empty token."""
    return lambda parameters, _: pages[parameters.get(parameter, "")]
