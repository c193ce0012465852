/* What is drawn over a picture: the scale bar, and the tracks of a whole frame. */

import { state } from "./state.js";

const BARS_UM = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000];

export function drawBar(context, marks, header, scale) {
  const umAcross = header.width * (header.step || 1) * header.pixel_size_um;
  const um = BARS_UM.filter((length) => length <= umAcross / 3).pop() || 1;
  const length = (um / umAcross) * marks.width;
  Object.assign(context, { fillStyle: "#fff", strokeStyle: "#000", lineWidth: 3 * scale, font: `${11 * scale}px system-ui` });
  context.strokeRect(8 * scale, 10 * scale, length, 3 * scale);
  context.fillRect(8 * scale, 10 * scale, length, 3 * scale);
  context.strokeText(`${um} \u00b5m`, 8 * scale, 26 * scale);
  context.fillText(`${um} \u00b5m`, 8 * scale, 26 * scale);
}

export function drawTracks(context, marks, { header }) {
  const factor = marks.width / (header.width * header.step);
  Object.assign(context, { font: `600 ${11 * (window.devicePixelRatio || 1)}px system-ui`, shadowColor: "#000", shadowBlur: 3 });
  for (const track of header.tracks) {
    const own = track.key === state.key;
    context.strokeStyle = context.fillStyle = own ? "#ffd166" : "#56b4e9";
    context.lineWidth = own ? 2 : 1;
    context.beginPath();
    for (const [y, x] of track.way) context.lineTo((x + 0.5) * factor, (y + 0.5) * factor);
    context.stroke();
    const [y, x] = track.way.at(-1);
    context.strokeRect((x + 0.5) * factor - 5, (y + 0.5) * factor - 5, 10, 10);
    if (own || header.tracks.length <= 30) context.fillText(track.cell_id, (x + 0.5) * factor + 7, (y + 0.5) * factor - 5);
  }
}

/** Cell of the whole frame that was clicked; null: there is none. */
export function trackAt(event, marks, { header }) {
  const box = marks.getBoundingClientRect();
  const factor = box.width / (header.width * header.step);
  const far = ({ way }) => Math.hypot((way.at(-1)[1] + 0.5) * factor - (event.clientX - box.left), (way.at(-1)[0] + 0.5) * factor - (event.clientY - box.top));
  const nearest = header.tracks.reduce((best, track) => (best && far(best) <= far(track) ? best : track), null);
  return nearest && far(nearest) < 20 ? nearest.key : null;
}
