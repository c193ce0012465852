"""Blind mode: what a scorer must not know is not answered, until the person ends it.

The mode is kept in a cookie that scripts cannot read, so that it outlives reloads, further tabs, and a new start of the
server.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from flask import Response, request
from werkzeug.exceptions import Forbidden

from cellfate.labels.label import CHOSEN_BY_FORECASTS

HIDDEN_COLUMNS: Final = (
    "name", "condition", "dose", "group", "fate", "event_frame", "forecast", "p_call", "open", "findings", "found",
    "mother", "daughters", "sisters",
)  # fmt: skip
"""Columns of the table of cells that would tell a scorer what to expect."""
HIDDEN: Final = (
    "Hidden while you score blind: recordings, conditions, doses, recorded fates, forecasts, findings, relatives, and "
    "what others scored. Closed: orders by forecasts, links, HTML, labels.csv, agreement."
)
_COOKIE_S: Final = 365 * 24 * 3600


@dataclass(frozen=True)
class BlindMode:
    """Whether whoever asks scores blind, and what is kept from such a person.

    Attributes
    ----------
    study : str
        Identity of the study, of which the mode is.
    """

    study: str

    @property
    def cookie(self) -> str:
        """Name of the cookie."""
        return f"cellfate_blind_{self.study}"

    def is_on(self) -> bool:
        """Whether the browser that asks is blind."""
        return request.cookies.get(self.cookie) == "1"

    def switch(self, answer: Response, *, on: bool) -> Response:
        """Begin or end the mode, with an answer."""
        answer.set_cookie(self.cookie, "1" if on else "", httponly=True, samesite="Strict", max_age=_COOKIE_S * on)
        return answer

    def remark(self) -> str:
        """Give what is said in place of a remark that names files, which may tell a condition; else ""."""
        return "A part cannot be shown; end blind mode to read why." if self.is_on() else ""

    def close(self) -> None:
        """Refuse what cannot be answered without telling what is hidden.

        Raises
        ------
        Forbidden
            If the mode is on.
        """
        if self.is_on():
            raise Forbidden("This holds what is hidden while you score blind; end blind mode first.")

    def close_order(self, queue: str) -> None:
        """Refuse an order that looked at forecasts: a place in it tells them.

        Raises
        ------
        Forbidden
            If the mode is on, and the order is one of these.
        """
        if self.is_on() and queue in CHOSEN_BY_FORECASTS:
            raise Forbidden("That order goes by forecasts, which are hidden while you score blind; take random.")

    def show(self, labels: Sequence[dict[str, Any]], scorer: str) -> list[dict[str, Any]]:
        """Give those of some labels that may be seen: in blind mode a scorer's own."""
        return [label for label in labels if not self.is_on() or label["scorer"] == scorer]
