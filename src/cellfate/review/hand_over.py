"""A cell handed over: its film and curves as one file that opens without server and network."""

import base64
from html import escape
from pathlib import Path
from typing import Final

import plotly.graph_objects as go
import plotly.io as pio

from cellfate.review.curves import draw_curves
from cellfate.review.film import Images, open_film
from cellfate.review.study import Study

_FILM_SCRIPT: Final = Path(__file__).with_name("assets") / "film.js"
_PLAYER: Final = """
const film = new Film();
film.append(Uint8Array.from(atob(document.getElementById("bytes").textContent), (c) => c.charCodeAt(0)));
film.done = true;
const { shown, track, channels, frame_interval_min: minutes, frames } = film.header;
const view = channels.map((_, c) => { const [low, high] = film.limits(c); return { on: true, low, high }; });
const scrub = document.getElementById("scrub"), canvas = document.getElementById("film");
Object.assign(scrub, { min: shown[0], max: shown[1], value: track[1] });
function show() {
  const frame = +scrub.value, there = film.has(frame) && !film.isBad(frame);
  canvas.hidden = !there;
  if (there) film.paint(canvas, frame, view);
  document.getElementById("frame").textContent = `frame ${frame}, ${((frame * minutes) / 60).toFixed(1)} h`;
}
scrub.oninput = show;
channels.forEach((name, c) => {
  const box = Object.assign(document.createElement("input"), { type: "checkbox", checked: true });
  box.onchange = () => { view[c].on = box.checked; show(); };
  const label = document.createElement("label");
  label.append(box, name);
  document.getElementById("channels").append(label);
});
let timer = null;
document.getElementById("play").onclick = () => {
  if (timer) { clearInterval(timer); timer = null; return; }
  timer = setInterval(() => { scrub.value = +scrub.value >= shown[1] ? shown[0] : +scrub.value + 1; show(); }, 67);
};
if (frames.length) show();
"""
_STYLE: Final = """
body { font: 14px/1.4 system-ui, sans-serif; color: #1f2933; margin: 20px; max-width: 1200px; }
#cell { display: flex; gap: 20px; } #film { width: 372px; image-rendering: pixelated; background: #000; }
label { margin-right: 10px; } #scrub { width: 372px; display: block; }
"""


def write_cell_page(study: Study, images: Images, place: int, label: str, *, with_forecasts: bool) -> str:
    """Write the page of a cell, with everything that it needs in it.

    Parameters
    ----------
    study, images
        The study and its images.
    place
        Place of the cell in the table of cells.
    label
        What was scored of it, a sentence; "" where nothing was.
    with_forecasts
        Whether forecasts, and what they rest on, are shown.

    Returns
    -------
    str
        HTML; names of a person's files are escaped.
    """
    film = open_film(study, images, place)
    shown = (film.header["shown"][0], film.header["shown"][1])
    figure = go.Figure(draw_curves(study, place, shown, with_forecasts=with_forecasts))
    curves = pio.to_html(figure, include_plotlyjs=True, full_html=False, config={"displayModeBar": False})
    pixels = base64.b64encode(b"".join(film.stream())).decode()
    title = escape(f"Recording {film.recording_id}, cell {film.cell_id}")
    said = escape(" ".join(text for text in (label, film.header["remark"]) if text))
    return f"""<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title><style>{_STYLE}</style>
<h1>{title}</h1><p>{said}</p>
<div id="cell"><div><canvas id="film"></canvas><input id="scrub" type="range"><button id="play">play, pause</button>
<output id="frame"></output><p id="channels"></p></div><div style="flex:1;min-width:0">{curves}</div></div>
<script type="text/plain" id="bytes">{pixels}</script>
<script type="module">{_FILM_SCRIPT.read_text(encoding="utf-8")}
{_PLAYER}</script></html>
"""


def name_file(study: Study, place: int) -> str:
    """Name a file after a cell: letters, digits, points and dashes of its recording, and its number."""
    cell = study.cells.iloc[place]
    kept = "".join(c if c.isascii() and (c.isalnum() or c in ".-") else "_" for c in str(cell["recording_id"]))
    return f"{kept}_{int(cell['cell_id'])}.html"
