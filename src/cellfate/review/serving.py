"""Opening the page: a socket of this computer, the server behind it, and the address that is printed."""

import errno
import logging
import socket
import webbrowser
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING, Final

from cellfate.core.errors import InputError
from cellfate.labels.journal import Journal
from cellfate.review.guard import Guard
from cellfate.review.labelling import Labelling
from cellfate.review.opening import write_opening_page
from cellfate.review.study import StudySource, open_study

if TYPE_CHECKING:
    from werkzeug.serving import BaseWSGIServer

_LOOPBACK: Final = "127.0.0.1"


def serve(source: StudySource, port: int, tell: Callable[[str], object], *, opens: bool = False) -> None:
    """Serve the page of a study to this computer until it is stopped (Ctrl-C).

    Parameters
    ----------
    source
        Where the study is; labels go to its path `labels`.
    port
        Port to listen at; 0: any that is free.
    tell
        Says a line to the person: where the page is.
    opens
        Open the page in the person's browser.

    Raises
    ------
    InputError
        If the port is in use, or the study cannot be opened.
    """
    server, guard, labelling = open_server(source, port)
    tell(f"{source.name}: open {guard.address}")
    tell("Stop it with Ctrl-C. It answers this computer only.")
    with ExitStack() as stack:
        stack.callback(labelling.write_table)
        stack.enter_context(server.socket)
        if opens:
            try:
                page = stack.enter_context(write_opening_page(guard.address, source.paths["labels"].parent))
                guard.when_opened = partial(page.unlink, missing_ok=True)
                webbrowser.open(page.as_uri())
            except OSError as error:
                tell(f"The browser is not opened, for its first page cannot be written: {error}")
        server.serve_forever()


def open_server(source: StudySource, port: int) -> "tuple[BaseWSGIServer, Guard, Labelling]":
    """Open the study, a server of it, which answers once `serve_forever` runs, its guard, and where labels go.

    Raises
    ------
    InputError
        If the port is in use, or the study cannot be opened.
    """
    from werkzeug.serving import WSGIRequestHandler, make_server

    from cellfate.review.server import create_app

    class Quiet(WSGIRequestHandler):
        protocol_version = "HTTP/1.1"  # one connection for many answers

        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            """Say nothing of single requests."""

    opened = _open_socket(port)
    guard = Guard(opened.getsockname()[1])
    try:
        study = open_study(source)
        labelling = Labelling(study, Journal(source.paths["labels"]))
        app = create_app(study, labelling, guard)
    except BaseException:
        opened.close()
        raise
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    handler = Quiet
    with opened:  # the server listens at a copy of it
        server = make_server(
            _LOOPBACK, guard.port, app.server, threaded=True, request_handler=handler, fd=opened.fileno()
        )
    return server, guard, labelling


def _open_socket(port: int) -> socket.socket:
    opened = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        opened.bind((_LOOPBACK, port))
        opened.listen(64)
    except OSError as error:
        opened.close()
        if error.errno in (errno.EADDRINUSE, errno.EACCES):
            raise InputError(
                f"Port {port} is in use or not allowed; stop what uses it, or give another with --port (0: any free)."
            ) from error
        raise
    return opened
