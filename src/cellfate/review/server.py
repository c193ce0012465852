"""The server of the page: what is answered to whom. It writes labels, and nothing else."""

import errno
import json
import logging
from collections.abc import Iterator
from typing import Any

import dash
from flask import Flask, Response, jsonify, request
from werkzeug.exceptions import HTTPException, NotFound

from cellfate.core.errors import InputError
from cellfate.labels.journal import DamagedJournalError, StaleLabel
from cellfate.labels.table import TABLE
from cellfate.review.asked import MAX_BODY_BYTES, check_place, read_body, read_since
from cellfate.review.blind import HIDDEN, BlindMode
from cellfate.review.curves import draw_curves, say_instead
from cellfate.review.film import Images, open_film
from cellfate.review.guard import SAFE_METHODS, Guard
from cellfate.review.hand_over import name_file, write_cell_page
from cellfate.review.labelling import Labelling
from cellfate.review.layout import PAGE, build_layout
from cellfate.review.ordering import order_keys
from cellfate.review.rows import list_rows
from cellfate.review.study import Study, tell_unreadable
from cellfate.review.surroundings import send_surroundings

logger = logging.getLogger(__name__)
_BYTES = "application/octet-stream"
_MEANTIME = "The cell was scored by the same scorer in the meantime."


def create_app(study: Study, labelling: Labelling, guard: Guard) -> dash.Dash:
    """Make the application of the page.

    Parameters
    ----------
    study
        What is looked at.
    labelling
        Where labels go.
    guard
        Who is answered.

    Returns
    -------
    dash.Dash
        Its `server` is a WSGI application.
    """
    app = dash.Dash(
        __name__,
        title="cellfate review",
        update_title="",
        index_string=PAGE.read_text(encoding="utf-8"),
        assets_ignore=r".*\.js",  # modules: the page loads the first of them itself
        serve_locally=True,
        add_log_handler=False,
        enable_mcp=False,
    )
    app.layout = build_layout()
    guard.script_hashes.extend(app.csp_hashes())
    server: Flask = app.server
    guard.protect(server)
    server.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES
    blind = BlindMode(study.source.identity)
    _tell_study(server, study, labelling, blind)
    _show_cells(server, study, labelling, blind)
    _take_labels(server, labelling, blind)
    _close_callbacks(server)
    _tell_errors(server)
    return app


def _tell_study(server: Flask, study: Study, labelling: Labelling, blind: BlindMode) -> None:
    @server.get("/study")
    def name() -> Response:
        return jsonify(study=study.source.name, id=study.source.identity, run=study.source.run, blind=blind.is_on())

    @server.post("/blind")
    def switch() -> Response:
        on = read_body().get("on") is True
        return blind.switch(jsonify(blind=on), on=on)

    @server.get("/cells")
    def cells() -> Response:
        labels, offset = labelling.since(0)
        is_blind, scorer = blind.is_on(), request.args.get("scorer", "")
        return jsonify(
            blind=is_blind,
            hidden=HIDDEN if is_blind else "",
            rows=list_rows(study, blind=is_blind),
            labels=blind.show(labels, scorer),
            since=offset,
            has_forecasts=not is_blind and not study.forecast_table.empty,
            applied=[label for label in study.list_applied() if not is_blind or label[1] == scorer],
        )

    @server.get("/queue/<name>")
    def queue(name: str) -> Response:
        blind.close_order(name)
        scorer = request.args.get("scorer", "")
        return jsonify(keys=order_keys(study, labelling.journal, name, scorer, blind=blind.is_on()))


def _show_cells(server: Flask, study: Study, labelling: Labelling, blind: BlindMode) -> None:
    images = Images(study)

    def with_forecasts() -> bool:
        return request.args.get("forecasts") == "1" and not blind.is_on()

    @server.get("/film/<int:place>")
    def film(place: int) -> Response:
        opened = open_film(study, images, check_place(study, place))
        opened.header["remark"] = opened.header["remark"] and (blind.remark() or opened.header["remark"])
        shown = (opened.header["shown"][0], opened.header["shown"][1])
        asked = with_forecasts()

        def stream() -> Iterator[bytes]:
            yield from opened.stream()
            try:
                figure = draw_curves(study, place, shown, with_forecasts=asked)
            except (OSError, ValueError) as error:  # a table that is damaged or locked takes no film away
                logger.exception("The curves of a cell cannot be drawn")
                minutes = opened.header["frame_interval_min"]
                hours = (shown[0] * minutes / 60, shown[1] * minutes / 60)
                figure = say_instead(f"The curves cannot be drawn: {error}", hours)
            yield json.dumps(figure).encode()

        return Response(stream(), mimetype=_BYTES)

    @server.get("/surroundings/<int:place>/<int:frame>")
    def surroundings(place: int, frame: int) -> Response:
        check_place(study, place)
        return Response(send_surroundings(study, images, place, frame, remark=blind.remark()), mimetype=_BYTES)

    @server.get("/hand_over/<int:place>.html")
    def hand_over(place: int) -> Response:
        blind.close()
        said = labelling.tell(check_place(study, place))
        page = write_cell_page(study, images, place, said, with_forecasts=with_forecasts())
        return _attach(Response(page, mimetype="text/html"), name_file(study, place))


def _take_labels(server: Flask, labelling: Labelling, blind: BlindMode) -> None:
    @server.post("/labels")
    def store() -> tuple[Response, int]:
        given = read_body()
        offset, scorer = read_since(given.get("since", 0)), str(given.get("scorer", ""))
        try:
            labelling.store(given.get("label"))
        except StaleLabel as error:
            newest = [] if error.newest is None else [labelling.write(error.newest)]
            seen = blind.show(newest, scorer) or [_hide(label) for label in newest]
            told = {"sentence": str(error) if seen == newest else _MEANTIME, "newest": seen[0] if seen else None}
            return _answer_since(offset, scorer, **told), 409
        return _answer_since(offset, scorer), 200

    def _answer_since(offset: int, scorer: str, **more: Any) -> Response:
        found, end = labelling.since(offset)
        return jsonify(labels=blind.show(found, scorer), since=end, blind=blind.is_on(), **more)

    @server.get("/labels")
    def labels() -> Response:
        return _answer_since(read_since(request.args.get("since", 0)), request.args.get("scorer", ""))

    @server.get("/agreement")
    def agreement() -> Response:
        blind.close()
        return jsonify(labelling.compare_scorers())

    @server.get("/labels.csv")
    def table() -> Response:
        blind.close()
        return _attach(Response(labelling.write_sheet(), mimetype="text/csv"), TABLE)


def _close_callbacks(server: Flask) -> None:
    """Refuse what Dash answers to pages with callbacks: this one has none."""

    @server.before_request
    def close() -> None:
        if request.path == "/_dash-update-component":
            raise NotFound("The page has no callbacks; reload it.")


def _attach(answer: Response, name: str) -> Response:
    answer.headers["Content-Disposition"] = f"attachment; filename={name}"
    return answer


def _hide(label: dict[str, Any]) -> dict[str, Any]:
    """Keep back what a label says: who may not see it only has to know that there is one."""
    return label | {"fate": "scored" if label["fate"] else None, "event_frame": None, "note": ""}


def _tell_errors(server: Flask) -> None:
    @server.errorhandler(Exception)
    def tell(error: Exception) -> tuple[Response, int]:
        if isinstance(error, HTTPException):
            return jsonify(sentence=str(error.description)), int(error.code or 500)
        if isinstance(error, DamagedJournalError):  # the page keeps what it could not store, and sends it again
            return jsonify(sentence=str(error)), 503
        if isinstance(error, InputError):
            return jsonify(sentence=str(error)), 422
        if isinstance(error, OSError):
            if request.method in SAFE_METHODS:
                return jsonify(sentence=f"The study cannot be read: {tell_unreadable(error)}"), 503
            full = error.errno == errno.ENOSPC
            what = "the disk is full: make room" if full else tell_unreadable(error).removesuffix(".")
            return jsonify(sentence=f"Nothing was written, for {what}; what you scored is kept in the page."), 507
        logger.exception("The review server failed")
        return jsonify(sentence="This is a fault of cellfate: please report what stands in the terminal."), 500
