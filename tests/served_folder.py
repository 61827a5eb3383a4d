"""A folder in the web, on this computer, for tests that fetch files."""

import contextlib
import functools
import http.server
import os
import pathlib
import threading
from collections.abc import Iterator
from typing import ClassVar
from unittest import mock


class Requests(http.server.SimpleHTTPRequestHandler):
    """Serves a folder, counts requests, and breaks off in files called short."""

    paths: ClassVar[list[str]] = []

    def do_GET(self):
        self.paths.append(self.path)
        if "short" in self.path:
            self.send_response(200)
            self.send_header("Content-Length", "100")
            self.end_headers()
            self.wfile.write(b"\x80\x04 only this")
        else:
            super().do_GET()

    def log_message(self, *arguments):
        """Nothing."""


@contextlib.contextmanager
def served_folder(folder: pathlib.Path) -> Iterator[str]:
    """Makes a folder and gives its address, http://127.0.0.1:PORT."""
    folder.mkdir()
    Requests.paths.clear()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Requests, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    with mock.patch.dict(os.environ, {"no_proxy": "127.0.0.1"}):
        yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()
