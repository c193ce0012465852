"""The server of the page: what is answered to whom. It writes labels, and nothing else."""

import errno
import json
import logging
from collections.abc import Iterator
from typing import Any

import dash
from flask import Flask, Response, jsonify, request
from werkzeug.exceptions import HTTPException

from cellfate.core.errors import InputError
from cellfate.labels.journal import DamagedJournalError, StaleLabel
from cellfate.labels.table import write_table
from cellfate.review.curves import draw_curves
from cellfate.review.film import Images, open_film
from cellfate.review.guard import Guard
from cellfate.review.hand_over import name_file, write_cell_page
from cellfate.review.labelling import Labelling
from cellfate.review.layout import PAGE, build_layout
from cellfate.review.ordering import order_keys
from cellfate.review.rows import HIDDEN_WHEN_BLIND, list_rows
from cellfate.review.study import Study
from cellfate.review.surroundings import send_surroundings

logger = logging.getLogger(__name__)
_BYTES = "application/octet-stream"


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
        serve_locally=True,
        add_log_handler=False,
        enable_mcp=False,
    )
    app.layout = build_layout()
    guard.script_hashes.extend(app.csp_hashes())
    server: Flask = app.server
    guard.protect(server)
    _answer_questions(server, study, labelling)
    _take_labels(server, labelling)
    _tell_errors(server)
    return app


def _answer_questions(server: Flask, study: Study, labelling: Labelling) -> None:
    images = Images(study)

    @server.get("/cells")
    def cells() -> Response:
        blind = request.args.get("blind") == "1"
        labels, offset = labelling.since(0)
        return jsonify(
            study=study.source.name,
            rows=list_rows(study, blind=blind),
            labels=[_hide(label) for label in labels] if blind else labels,
            since=offset,
            hidden=HIDDEN_WHEN_BLIND if blind else [],
            has_forecasts=not blind and not study.forecast_table.empty,
            applied=study.list_applied(),
        )

    @server.get("/study")
    def name() -> Response:
        return jsonify(study=study.source.name, run=study.source.run)

    @server.get("/queue/<name>")
    def queue(name: str) -> Response:
        return jsonify(keys=order_keys(study, labelling.journal, name, request.args.get("scorer", "")))

    @server.get("/film/<int:place>")
    def film(place: int) -> Response:
        opened = open_film(study, images, _check_place(study, place))
        shown = (opened.header["shown"][0], opened.header["shown"][1])
        with_forecasts = request.args.get("forecasts") == "1"

        def stream() -> Iterator[bytes]:
            yield from opened.stream()
            yield json.dumps(draw_curves(study, place, shown, with_forecasts=with_forecasts)).encode()

        return Response(stream(), mimetype=_BYTES)

    @server.get("/surroundings/<int:place>/<int:frame>")
    def surroundings(place: int, frame: int) -> Response:
        return Response(send_surroundings(study, images, _check_place(study, place), frame), mimetype=_BYTES)

    @server.get("/hand_over/<int:place>.html")
    def hand_over(place: int) -> Response:
        opened = _check_place(study, place)
        with_forecasts = request.args.get("forecasts") == "1"
        page = write_cell_page(study, images, opened, labelling.tell(opened), with_forecasts=with_forecasts)
        answer = Response(page, mimetype="text/html")
        answer.headers["Content-Disposition"] = f"attachment; filename={name_file(study, opened)}"
        return answer


def _take_labels(server: Flask, labelling: Labelling) -> None:
    @server.post("/labels")
    def store() -> tuple[Response, int]:
        given = request.get_json(force=True, silent=True) or {}
        status, stale = 200, None
        try:
            labelling.store(given.get("label"))
        except StaleLabel as error:
            status, stale = 409, error
        labels, offset = labelling.since(int(given.get("since") or 0))
        newest = None if stale is None or stale.newest is None else labelling.write(stale.newest)
        return jsonify(labels=labels, since=offset, sentence="" if stale is None else str(stale), newest=newest), status

    @server.get("/labels")
    def labels() -> Response:
        found, offset = labelling.since(int(request.args.get("since", 0)))
        return jsonify(labels=found, since=offset)

    @server.get("/agreement")
    def agreement() -> Response:
        return jsonify(labelling.compare_scorers())

    @server.get("/labels.csv")
    def table() -> Response:
        answer = Response(write_table(labelling.journal).read_bytes(), mimetype="text/csv")
        answer.headers["Content-Disposition"] = "attachment; filename=labels.csv"
        return answer


def _hide(label: dict[str, Any]) -> dict[str, Any]:
    """Keep back what an earlier label says: a blind scorer only has to know that there is one."""
    return label | {"fate": "scored" if label["fate"] else None, "event_frame": None, "note": ""}


def _check_place(study: Study, place: int) -> int:
    if place >= len(study.cells):
        raise InputError(f"The study has {len(study.cells)} cells, and no cell {place}; reload the page.")
    return place


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
            full = error.errno == errno.ENOSPC
            what = "the disk is full: make room" if full else f"{error.filename or 'a file'}: {error.strerror or error}"
            return jsonify(sentence=f"Nothing was written, for {what}; what you scored is kept in the page."), 507
        logger.exception("The review server failed")
        return jsonify(sentence="This is a fault of cellfate: please report what stands in the terminal."), 500
