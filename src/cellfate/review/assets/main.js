/* The page begins here: what is asked first, and what each button and field does. */

import { go, open } from "./cell.js";
import { loadCells, noteShownForecasts, showForecastColumns } from "./cells.js";
import { hoursAt } from "./curves.js";
import { agreement, link, png } from "./hand_over.js";
import { help, letGo, onKey } from "./keys.js";
import { trackAt } from "./marks.js";
import { loadOrder, nextUnscored } from "./order.js";
import { askAgain, catchUp, hooks, send, takeUp } from "./outbox.js";
import { paint, play, toFrame, toggleWhole } from "./screen.js";
import { changeSettles, draftNote, mark, redo, saveNote, score, undo } from "./scoring.js";
import { keptPlace, takeHistory, wouldLose } from "./shelf.js";
import { $, ask, BY_FORECASTS, film, find, state, watched } from "./state.js";
import { tell, tellError } from "./told.js";

const SCORER = "cellfate:scorer"; // of all studies
const actions = {
  play: () => play(), back: () => step(-1), forth: () => step(1), surroundings: toggleWhole, mark, next: () => go(1),
  previous: () => go(-1), undo, redo, help, agreement, link, png,
};

function step(by) {
  play(false);
  toFrame(state.frame + by);
}

// ---- what a change of a field does

async function changeForecasts() {
  showForecastColumns();
  state.films.clear();
  if (state.key === null) return;
  const at = state.frame;
  await open(state.key, state.from);
  if (at !== null) toFrame(at);
}

async function changeBlind() {
  try {
    await ask("/blind", { method: "POST", body: JSON.stringify({ on: $("blind").checked }) });
  } catch (error) {
    tellError(error);
    $("blind").checked = state.blind;
    return;
  }
  state.blind = $("blind").checked;
  state.grid.setFilterModel(null); // one of a column that is hidden now would tell
  state.grid.applyColumnState({ defaultState: { sort: null } });
  await start();
}

function changeScorer() {
  state.scorer = $("scorer").value.trim();
  try { localStorage.setItem(SCORER, state.scorer); } catch { /* it is asked for again */ }
  takeHistory();
  start();
}

function showBlind() {
  $("blind").checked = state.blind;
  $("forecasts").disabled = state.blind;
  document.body.classList.toggle("blind", state.blind);
  for (const option of $("queue").options) option.disabled = state.blind && BY_FORECASTS.includes(option.value);
  if (!$("queue").selectedOptions[0] || $("queue").selectedOptions[0].disabled) $("queue").value = "random";
}

function onClick(event) {
  const button = event.target.closest("[data-do], [data-fate], #family button");
  if (!button || state.key === null) return;
  const { fate, do: name } = button.dataset;
  if (fate) score(fate); else if (name) actions[name](); else open(+button.value, "search");
  letGo(button);
}

function listen() {
  document.addEventListener("keydown", onKey);
  document.addEventListener("click", onClick);
  document.addEventListener("change", (event) => { if (event.target.matches("[type=checkbox], [type=range]")) letGo(event.target); });
  $("scrub").oninput = () => { play(false); toFrame(+$("scrub").value); };
  $("outline").onchange = paint;
  $("note").oninput = draftNote;
  $("note").onblur = saveNote;
  $("settles").onchange = changeSettles;
  $("search").oninput = () => state.grid.setGridOption("quickFilterText", $("search").value);
  $("queue").onchange = () => { $("queue").blur(); start(); };
  $("forecasts").onchange = changeForecasts;
  $("blind").onchange = changeBlind;
  $("scorer").onchange = changeScorer;
  $("screen").onclick = (event) => { const key = state.whole && trackAt(event, $("marks"), state.whole); if (key != null) open(key, "search"); };
  $("curves-box").onclick = clickCurves;
  window.addEventListener("hashchange", () => openLinked());
  window.addEventListener("focus", catchUp);
  window.addEventListener("resize", () => film()?.header && paint());
  window.addEventListener("beforeunload", (event) => { if (wouldLose()) event.preventDefault(); });
  state.grid.addEventListener("rowClicked", ({ data }) => { document.activeElement.blur(); open(data.key, "search"); });
  state.grid.addEventListener("cellKeyDown", ({ event, data }) => { if (event.key === "Enter") open(data.key, "search"); });
  for (const name of ["viewportChanged", "modelUpdated"]) state.grid.addEventListener(name, noteShownForecasts);
  hooks.blindChanged = () => start();
}

function clickCurves(event) {
  const hours = hoursAt(event);
  if (hours === null || !film()?.header) return;
  play(false);
  toFrame((hours * 60) / film().header.frame_interval_min);
}

// ---- beginning

/** Open the cell that the address names, if it names one. */
function openLinked() {
  if (location.hash.length < 2) return false;
  let names;
  try { names = location.hash.slice(1).split("/").map(decodeURIComponent); } catch { names = []; }
  const named = { recording_id: names[0], cell_id: Number(names[1]) };
  const key = names.length === 2 ? find(named) : -1;
  if (key < 0) {
    tell(names.length === 2 ? `The study has no cell ${names[1]} in recording ${names[0]}.` : "The address names no cell.");
    return false;
  }
  if (key !== state.key) open(key, cameBy(named));
  return true;
}

/** By which order a cell came: a page that is loaded again is no search. */
function cameBy(named) {
  const kept = keptPlace();
  return kept?.recording_id === named.recording_id && kept.cell_id === named.cell_id ? kept.from : "search";
}

function openKept() {
  const kept = keptPlace();
  const key = kept ? find(kept) : -1;
  if (key >= 0) open(key, kept.from);
  return key >= 0;
}

let starting = Promise.resolve();

/** Load cells and order; one after the other, so that what was asked first never comes last. */
function start(first = false) {
  starting = starting.then(() => load(first));
  return starting;
}

async function load(first) {
  play(false);
  showBlind();
  try {
    await loadCells();
    showBlind();
    await loadOrder();
  } catch (error) {
    tellError(error);
    $("queue").value = state.queue;
    return;
  }
  state.films.clear();
  if (first && (state.blind ? openKept() : openLinked())) return;
  const place = nextUnscored(-1);
  if (place < 0) tell(state.order.length ? "All cells of this order are scored." : "No cell is left in this order.");
  open(state.order[Math.max(0, place)] ?? state.key ?? 0, state.order.length ? state.queue : "search");
}

async function begin() {
  const until = async (is) => { while (!is()) await new Promise((resolve) => setTimeout(resolve, 20)); };
  await until(() => window.dash_clientside?.set_props && window.dash_ag_grid?.getApiAsync && $("cells") && $("curves"));
  state.grid = await window.dash_ag_grid.getApiAsync("cells");
  state.scorer = localStorage.getItem(SCORER) || "";
  $("scorer").value = state.scorer;
  listen();
  try { Object.assign(state, await ask("/study")); } catch (error) { tellError(error); return; }
  $("study").textContent = state.study;
  takeUp();
  takeHistory();
  await start(true);
  askAgain();
  send();
}

window.review = watched;
begin();
