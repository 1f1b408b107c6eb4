"""The metadata endpoint of one running instance: IMDSv2, on a loopback port of its own."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from local.instances.metadata import META_DATA, Credentials, children

TOKEN_PATH = "/latest/api/token"  # noqa: S105
TTL_HEADER = "X-aws-ec2-metadata-token-ttl-seconds"
TOKEN_HEADER = "X-aws-ec2-metadata-token"  # noqa: S105
LONGEST_TTL_SECONDS = 21600
RENEW_SECONDS = 900
"""EC2 has new credentials ready at least five minutes before the old ones end."""
CREDENTIALS = META_DATA + "iam/security-credentials/"


class MetadataService:
    """Answers until closed.

    `tree()` is asked at every request, so that it may change; `credentials()` is called when there
    are none or they end soon.
    """

    def __init__(
        self,
        tree: Callable[[], Mapping[str, str]],
        user_data: bytes,
        role_name: str | None,
        credentials: Callable[[], Credentials],
        token_required: bool,
    ) -> None:
        self._tree = tree
        self._user_data = user_data
        self._role_name = role_name
        self._credentials = credentials
        self._token_required = token_required
        self._tokens: dict[str, float] = {}
        self._current: Credentials | None = None
        self._renewing = threading.Lock()
        service = self

        class Handler(_Handler):
            metadata = service

        self._server = _Server(("127.0.0.1", 0), Handler)
        self.endpoint = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(
            target=self._server.serve_forever, args=(0.05,), name="metadata", daemon=True
        ).start()

    def close(self) -> None:
        """Nothing listens any more, and no token is good any more."""
        self._server.shutdown()
        self._server.server_close()

    def new_token(self, ttl: str | None) -> str | None:
        """None when the TTL is not a number from 1 to 21600."""
        if ttl is None or not ttl.isdigit() or not 1 <= int(ttl) <= LONGEST_TTL_SECONDS:
            return None
        token = secrets.token_urlsafe(42)
        self._tokens[token] = time.monotonic() + int(ttl)
        return token

    def admits(self, token: str | None) -> bool:
        if token is None:
            return not self._token_required
        return self._tokens.get(token, 0.0) > time.monotonic()

    def read(self, path: str) -> bytes | None:
        """The answer to a GET below /latest/; None is 404."""
        if path == "user-data":
            return self._user_data or None
        if path.startswith(CREDENTIALS.rstrip("/")) and self._role_name is not None:
            return self._read_credentials(path)
        tree = self._tree()
        if path in tree:
            return tree[path].encode()
        folder = path if not path or path.endswith("/") else f"{path}/"
        listed = children(tree, folder)
        return "\n".join(listed).encode() if listed else None

    def _read_credentials(self, path: str) -> bytes | None:
        if path in (CREDENTIALS, CREDENTIALS.rstrip("/")):
            return (self._role_name or "").encode()
        if path != f"{CREDENTIALS}{self._role_name}":
            return None
        now = time.time()
        with self._renewing:
            if self._current is None or self._current.expires_at - now < RENEW_SECONDS:
                self._current = self._credentials()
            return self._current.document(now).encode()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64


class _Handler(BaseHTTPRequestHandler):
    metadata: MetadataService
    protocol_version = "HTTP/1.1"
    server_version = "EC2ws"
    sys_version = ""

    def do_PUT(self) -> None:
        if self.path != TOKEN_PATH:
            return self._answer(HTTPStatus.NOT_FOUND)
        ttl = self.headers.get(TTL_HEADER)
        token = self.metadata.new_token(ttl)
        # A forwarded request came through a proxy: EC2 refuses it a token.
        if "X-Forwarded-For" in self.headers:
            return self._answer(HTTPStatus.FORBIDDEN)
        if token is None:
            return self._answer(HTTPStatus.BAD_REQUEST)
        return self._answer(HTTPStatus.OK, token.encode(), {TTL_HEADER: ttl or ""})

    def do_GET(self) -> None:
        if not self.metadata.admits(self.headers.get(TOKEN_HEADER)):
            return self._answer(HTTPStatus.UNAUTHORIZED)
        path = self.path.partition("?")[0]
        if path in ("/", ""):
            return self._answer(HTTPStatus.OK, b"latest")
        body = self.metadata.read(path.removeprefix("/latest").lstrip("/"))
        if body is None:
            return self._answer(HTTPStatus.NOT_FOUND)
        return self._answer(HTTPStatus.OK, body)

    def _answer(
        self,
        status: HTTPStatus,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        content = status.phrase.encode() if body is None else body
        self.send_response(status)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(content)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *arguments: object) -> None:
        """EC2 keeps no log of it either."""
