/* Going from cell to cell: films are fetched, the next ones before they are asked for. */

import { noteShownForecasts } from "./cells.js";
import { showCurves } from "./curves.js";
import { Film } from "./film.js";
import { nextUnscored } from "./order.js";
import { showAbout } from "./panel.js";
import { paint, play, showChannels } from "./screen.js";
import { noteLooked } from "./shelf.js";
import { $, film, find, row, state, watched } from "./state.js";
import { tell, tellError } from "./told.js";

const KEPT_FILMS = 8, KEPT_BYTES = 250e6, AHEAD = 2;

/** Show a cell; from is the order by which it came. */
export async function open(key, from) {
  if (key === null || !state.rows[key]) return;
  if (document.activeElement === $("note")) $("note").blur(); // its text is of the cell before
  play(false);
  const asked = performance.now();
  // the frame is unknown until the film says which there are
  Object.assign(state, { key, from, frame: null, mark: null, settles: null, whole: null, limits: null, drawn: null, begun: null });
  const at = state.order.indexOf(key);
  if (at >= 0) state.place = at;
  if ($("forecasts").checked && state.hasForecasts) noteLooked(row());
  showAbout();
  noteShownForecasts();
  const one = getFilm(key);
  one.onProgress = () => {
    if (state.key !== key) return;
    if (one.error) tellError(one.error); else if (state.begun === one) progress(one, asked);
  };
  try { await one.whenHeader; } catch (error) { tellError(error); return; }
  if (state.key !== key || film() !== one) return;
  if (find(one.header) !== key) { tell("The study has changed since this page was opened: load the page again."); return; }
  begin(one);
  progress(one, asked);
  one.whenDone.then(() => { if (state.key === key) prefetch(); });
}

function begin(one) {
  const { header } = one;
  state.frame = Math.min(header.track[1], header.shown[1]);
  Object.assign($("scrub"), { min: header.shown[0], max: header.shown[1] });
  $("remark").textContent = header.remark;
  $("outline").disabled = !header.has_mask;
  showChannels();
  state.begun = one;
}

function progress(one, asked) {
  if (state.drawn !== state.frame && one.has(state.frame) !== false) {
    paint();
    requestAnimationFrame(() => { watched.pictureMs ??= performance.now() - asked; });
  }
  if (one.done && state.curvesOf !== one) {
    state.curvesOf = one;
    showCurves(one.figure());
    paint();
  }
}

function getFilm(key) {
  let one = state.films.get(key);
  state.films.delete(key); // and back, as the newest
  if (!one || one.error) one = Film.fetch(`/film/${key}?forecasts=${+$("forecasts").checked}`);
  state.films.set(key, one);
  let bytes = [...state.films.values()].reduce((sum, each) => sum + each.bytes.length, 0);
  for (const [old, each] of [...state.films]) {
    if (state.films.size <= 2 || (state.films.size <= KEPT_FILMS && bytes < KEPT_BYTES)) break;
    if (old !== key && old !== state.key) { bytes -= each.bytes.length; state.films.delete(old); }
  }
  return one;
}

function prefetch() {
  let place = state.place;
  for (let i = 0; i < AHEAD; i++) {
    place = $("advance").checked ? nextUnscored(place) : (place + 1) % state.order.length;
    if (place < 0 || state.order[place] === undefined) return;
    getFilm(state.order[place]);
  }
}

/** Go so many cells on in the order. */
export function go(step) {
  const n = state.order.length;
  if (n) open(state.order[(state.place + step + n) % n], state.queue);
}

/** Go to the next cell that is not scored. */
export function goOn() {
  const place = nextUnscored(state.place);
  if (place < 0) { tell(`All ${state.order.length} cells of this order are scored.`); return false; }
  open(state.order[place], state.queue);
  return true;
}
