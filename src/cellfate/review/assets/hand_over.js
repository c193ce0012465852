/* What leaves the page: a link, a picture; and what is told in a window. */

import { $, ask, fill, make, row, state } from "./state.js";
import { tellError } from "./told.js";

export function say(...parts) {
  fill($("said"), ...parts);
  $("dialog").showModal();
}

export async function agreement() {
  let found;
  try { found = await ask("/agreement"); } catch (error) { tellError(error); return; }
  const line = (cells, tag) => {
    const tr = make("tr");
    tr.append(...cells.map((cell) => make(tag, cell)));
    return tr;
  };
  const table = make("table");
  table.append(line(found.columns, "th"), ...found.rows.map((cells) => line(cells, "td")));
  say(make("p", found.sentence), ...(found.rows.length ? [table] : []));
}

export function link() {
  const one = row();
  const address = `${location.origin}/#${encodeURIComponent(one.recording)}/${one.cell}`;
  navigator.clipboard?.writeText(address).catch(() => {});
  say(make("p", "This address opens the cell again, while the server runs:"), make("code", address));
}

/** The view as a picture: the film's frame, the curves, and what was scored. */
export async function png() {
  const name = $("title").textContent;
  const sheet = await draw(`${name}, ${$("frame").textContent}. ${$("mine").textContent}`);
  sheet.toBlob((blob) => {
    const url = URL.createObjectURL(blob);
    make("a", "", { href: url, download: `${name.replace(/[^\w.-]+/g, "_")}.png` }).click();
    setTimeout(() => URL.revokeObjectURL(url), 1000);
  });
}

async function draw(sentence) {
  const { height } = state.figure.layout;
  const curves = new Image();
  curves.src = await window.Plotly.toImage($("curves").querySelector(".js-plotly-plot"), { format: "png", width: 830, height });
  await curves.decode();
  const sheet = make("canvas", "", { width: 1240, height: Math.max(440, curves.height + 60) });
  const context = sheet.getContext("2d");
  context.fillStyle = "#fff";
  context.fillRect(0, 0, sheet.width, sheet.height);
  context.imageSmoothingEnabled = false;
  for (const canvas of [$("film"), $("marks")]) context.drawImage(canvas, 10, 50, 372, 372);
  context.drawImage(curves, 396, 50);
  context.fillStyle = "#1f2933";
  context.font = "16px system-ui";
  context.fillText(sentence, 10, 30, 1220);
  return sheet;
}
