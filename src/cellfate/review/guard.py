"""Who is answered: pages of this computer that know the token of this start, and nobody else."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from hmac import compare_digest
from html import escape
from typing import Any, Final

from flask import Flask, Response, jsonify, redirect, request

from cellfate.review.pages import SESSION_SCRIPT, write_token_page

HOSTS: Final = ("127.0.0.1", "localhost", "[::1]")
SAFE_METHODS: Final = ("GET", "HEAD")
_MARKUP: Final = "text/html"


@dataclass
class Guard:
    """The token of one start of the server, and what it was exchanged for.

    Attributes
    ----------
    port : int
        Port of the server: it stands in the names that it answers to.
    token : str
        What the printed address holds.
    session : str
        What the cookie holds, so that an address seen over a shoulder does not become the cookie.
    script_hashes : list of str
        Inline scripts of the page that may run, as a content security policy names them.
    when_opened : callable
        Called whenever the token was exchanged.
    """

    port: int
    token: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    session: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    script_hashes: list[str] = field(default_factory=list)
    when_opened: Callable[[], object] = lambda: None

    @property
    def cookie(self) -> str:
        """Name of the cookie: cookies are shared by all ports of a host."""
        return f"cellfate_review_{self.port}"

    @property
    def address(self) -> str:
        """Address that opens the page."""
        return f"http://127.0.0.1:{self.port}/?token={self.token}"

    def protect(self, server: Flask) -> None:
        """Put the guard before every answer of a server, and its policy behind."""
        server.before_request(self._look)
        server.after_request(self._harden)

    def _look(self) -> Any:
        own = [f"{host}:{self.port}" for host in HOSTS]
        if request.host not in own:
            return _refuse(403, f"This server answers {own[0]} only; open the address that it printed.")
        if request.method not in SAFE_METHODS and request.headers.get("Origin") != f"http://{request.host}":
            return _refuse(403, "Only the page of this server may write; open the address that it printed.")
        given = request.args.get("token")
        if request.path == "/" and given is not None and compare_digest(given.encode(), self.token.encode()):
            self.when_opened()
            answer = redirect("/", 303)
            answer.set_cookie(self.cookie, self.session, httponly=True, samesite="Strict")
            return answer
        if not compare_digest(request.cookies.get(self.cookie, "").encode(), self.session.encode()):
            return _refuse(401, "The token of this start is missing; open the address that the server printed.")
        return ("", 204) if request.path == "/session" else None

    def _harden(self, answer: Response) -> Response:
        scripts = " ".join(["'self'", *self.script_hashes, SESSION_SCRIPT.hash])
        answer.headers["Content-Security-Policy"] = (
            f"default-src 'none'; script-src {scripts}; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
            "font-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
        )
        answer.headers["X-Content-Type-Options"] = "nosniff"
        answer.headers["Referrer-Policy"] = "no-referrer"
        answer.headers["Cross-Origin-Resource-Policy"] = "same-origin"
        if not request.path.startswith("/_dash-component-suites/"):
            answer.headers["Cache-Control"] = "no-store"
        return answer


def _refuse(status: int, sentence: str) -> Response:
    if _MARKUP in request.headers.get("Accept", "") and request.method in SAFE_METHODS:
        return Response(write_token_page(escape(sentence)), status, mimetype=_MARKUP)
    answer = jsonify(sentence=sentence)
    answer.status_code = status
    return answer
