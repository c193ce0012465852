/* What the page knows, in one place, and the few words that every module needs. No framework.
   Names of people's files are put on the page as text only (textContent), never as markup. */

import { reach, readError } from "./film.js";

export const EVENTS = ["mitosis", "apoptosis"];
export const BY_FORECASTS = ["uncertain", "disagreement"];

export const state = {
  id: "", study: "", run: "", hidden: "", blind: false, scorer: "", // the study, and who scores
  rows: [], places: new Map(), applied: new Map(), hasForecasts: false, grid: null, // its cells
  order: [], queue: "random", place: 0, // the order in which they come
  key: null, from: "random", frame: null, mark: null, settles: null, // the cell that is shown
  films: new Map(), view: {}, whole: null, limits: null, drawn: null, begun: null, playing: false, // its film
  figure: null, curvesOf: null, // its curves
  outbox: [], undecided: [], since: 0, refused: "", sending: false, done: [], undone: [], // labels on their way
};

/** For tests and benchmarks: ms to the first picture since this was null, and how many frames were played. */
export const watched = { state, pictureMs: null, played: 0 };

export const $ = (id) => document.getElementById(id);
export const make = (tag, text = "", extra = {}) => Object.assign(document.createElement(tag), { textContent: text }, extra);
export const fill = (box, ...parts) => box.replaceChildren(...parts);

export const row = () => state.rows[state.key];
export const film = () => state.films.get(state.key);
export const mineOf = (one) => one?.labels[state.scorer];

/** Place of a cell by the names of its recording and itself; -1: the study has none. */
export const find = ({ recording_id: recording, cell_id: cell }) => state.places.get(`${cell} ${recording}`) ?? -1;

export async function ask(url, options) {
  const answer = await reach(fetch(url, options));
  if (!answer.ok) throw await readError(answer);
  return answer.json();
}
