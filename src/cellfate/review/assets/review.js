/* The page: which cell is shown, its film, the keys, and labels on their way to the journal. No framework.
   Names of people's files are put on the page as text only (textContent), never as markup. */
"use strict";

(() => {
  const EVENTS = ["mitosis", "apoptosis"];
  const FATES = { m: "mitosis", a: "apoptosis", n: "neither", l: "lost", x: "unusable" };
  const FRAMES_A_SECOND = 15, KEPT_FILMS = 8, KEPT_BYTES = 250e6, AHEAD = 2;
  const BY_FORECASTS = ["uncertain", "disagreement"];
  const $ = (id) => document.getElementById(id);
  const state = {
    rows: [], order: [], place: 0, key: null, queue: "random", from: "random", since: 0, study: "", frame: 0, mark: null,
    playing: false, looked: false, hasForecasts: false, applied: new Map(), films: new Map(), view: {}, whole: null,
    outbox: [], stale: [], undone: [], done: [], refused: "", grid: null,
  };
  const row = () => state.rows[state.key];
  const film = () => state.films.get(state.key);
  const shown = () => state.whole || film();
  const scorer = () => $("scorer").value.trim();
  const make = (tag, text = "", extra = {}) => Object.assign(document.createElement(tag), { textContent: text }, extra);
  const fill = (box, ...parts) => box.replaceChildren(...parts);

  async function ask(url, options) {
    const answer = await fetch(url, options);
    if (!answer.ok) throw await readError(answer);
    return answer.json();
  }

  // ---- what is told: one sentence, and what can be done about it

  function tell(sentence, ...actions) {
    $("told").hidden = !sentence;
    const line = make("p", sentence || "");
    for (const [name, act] of actions) line.append(make("button", name, { onclick: act }));
    if (sentence) line.append(make("button", "close", { onclick: () => tell("") }));
    fill($("told"), line);
  }

  // ---- cells and their labels

  async function loadCells() {
    const found = await ask(`/cells?scorer=${encodeURIComponent(scorer())}`);
    const blind = $("blind").checked = found.blind;
    const names = Object.keys(found.rows);
    state.rows = found.rows.cell.map((_, key) => {
      const one = { key, id: String(key), labels: {}, label: "", others: "" };
      for (const name of names) one[name] = found.rows[name][key];
      return one;
    });
    Object.assign(state, { since: found.since, hasForecasts: found.has_forecasts, applied: new Map(found.applied.map(([key, name, id]) => [`${key} ${name}`, id])) });
    takeLabels(found.labels, false);
    for (const entry of state.outbox) takeLabels([{ ...entry, key: find(entry) }], false);
    $("study").textContent = state.study;
    const api = state.grid;
    api.setGridOption("rowData", state.rows);
    api.setColumnsVisible(["fate", "forecast", "p_call", "open", "condition", "dose", "findings", "others", "recording", "name"], !blind);
    showForecastColumns();
    if (!state.rows.some((r) => r.name)) api.setColumnsVisible(["name"], false);
    showCounts();
  }

  function find({ recording_id: recording, cell_id: cell }) {
    return state.rows.findIndex((r) => r.recording === recording && r.cell === cell);
  }

  function takeLabels(labels, show = true) {
    const changed = new Set();
    for (const label of labels) {
      const one = state.rows[label.key];
      if (!one || state.outbox.some((sent) => sent.recording_id === label.recording_id && sent.cell_id === label.cell_id && sent.scorer === label.scorer && sent.entry_id !== label.entry_id)) continue;
      one.labels[label.scorer] = label;
      changed.add(one);
    }
    for (const one of changed) describeLabels(one);
    if (!show) return;
    state.grid?.applyTransaction({ update: [...changed] });
    if (changed.has(row())) showLabel();
    showCounts();
  }

  function describeLabels(one) {
    const mine = one.labels[scorer()];
    one.label = mine?.fate || "";
    one.others = Object.values(one.labels).filter((l) => l.scorer !== scorer() && l.fate).map((l) => `${l.scorer}: ${l.fate}`).join(", ");
  }

  const mineOf = (one) => one?.labels[scorer()];

  // ---- the order in which cells come

  async function loadOrder() {
    const queue = $("queue").value;
    const found = await ask(`/queue/${queue}?scorer=${encodeURIComponent(scorer())}`);
    Object.assign(state, { queue, order: found.keys, place: 0 });
    $("forecasts").checked = BY_FORECASTS.includes(queue) && !$("blind").checked;
    showForecastColumns();
  }

  /** In the order of likely errors a cell is looked at again, whatever was said of it before. */
  function isDone(one) {
    const mine = mineOf(one);
    return mine?.fate && (state.queue !== "disagreement" || mine.queue === "disagreement");
  }

  function nextUnscored(from = state.place) {
    const n = state.order.length;
    for (let i = 1; i <= n; i++) {
      const place = (from + i) % n;
      if (!isDone(state.rows[state.order[place]])) return place;
    }
    return -1;
  }

  function go(step) {
    const n = state.order.length;
    if (!n) return;
    const at = state.order.indexOf(state.key);
    if (at >= 0) state.place = at;
    open(state.order[(state.place + step + n) % n], state.queue);
  }

  function goOn() {
    const at = state.order.indexOf(state.key);
    const place = nextUnscored(at >= 0 ? at : state.place);
    if (place < 0) { tell(`All ${state.order.length} cells of this order are scored.`); return; }
    state.place = place;
    open(state.order[place], state.queue);
  }

  // ---- the cell that is shown

  function getFilm(key) {
    let one = state.films.get(key);
    if (one && !one.error) { state.films.delete(key); state.films.set(key, one); return one; }
    one = Film.fetch(`/film/${key}?forecasts=${+$("forecasts").checked}`);
    state.films.set(key, one);
    let bytes = 0;
    for (const each of [...state.films.values()]) bytes += each.bytes.length;
    for (const [old, each] of [...state.films]) {
      if (state.films.size <= 2 || (state.films.size <= KEPT_FILMS && bytes < KEPT_BYTES)) break;
      if (old !== key && old !== state.key) { bytes -= each.bytes.length; state.films.delete(old); }
    }
    return one;
  }

  async function open(key, from) {
    if (key === null || !state.rows[key]) return;
    const asked = performance.now();
    Object.assign(state, { key, from, mark: null, whole: null, limits: null, drawn: null, begun: null });
    state.frame = null; // until its film says which frames there are
    const at = state.order.indexOf(key);
    if (at >= 0) state.place = at;
    state.looked = $("forecasts").checked && state.hasForecasts;
    $("settles").checked = false;
    showAbout();
    const one = getFilm(key);
    one.onProgress = () => { if (state.key === key) { if (one.error) showError(one.error); else if (state.begun === one) progress(one, asked); } };
    try { await one.whenHeader; } catch (error) { showError(error); return; }
    if (state.key !== key) return;
    const header = one.header;
    state.frame = Math.min(header.track[1], header.shown[1]);
    Object.assign($("scrub"), { min: header.shown[0], max: header.shown[1] });
    $("remark").textContent = header.remark;
    $("outline").disabled = !header.has_mask;
    showChannels();
    state.begun = one;
    progress(one, asked);
    one.whenDone.then(() => { if (state.key === key) prefetch(); });
  }

  function showError(error) {
    tell(error.status ? error.message : "The server does not answer; what you scored is kept here. Is it still running?");
  }

  function prefetch() {
    let place = state.place;
    for (let i = 0; i < AHEAD; i++) {
      place = $("advance").checked ? nextUnscored(place) : (place + 1) % state.order.length;
      if (place < 0 || state.order[place] === undefined) return;
      getFilm(state.order[place]);
    }
  }

  function progress(one, asked) {
    if (!one.header) return;
    if (state.drawn !== state.frame && (one.has(state.frame) || one.has(state.frame) === null)) {
      paint();
      if (!state.timed) { state.timed = true; requestAnimationFrame(() => { window.review.pictureMs = performance.now() - asked; state.timed = false; }); }
    }
    if (one.done && state.curvesOf !== one) { state.curvesOf = one; showCurves(one.figure()); paint(); }
  }

  // ---- film: painting, stepping, playing

  function limitsOf(channel, name) {
    const held = $("hold")?.checked && state.view[name]?.held;
    return held || (state.limits ||= {})[channel] || (shown().done || state.whole ? (state.limits[channel] = shown().limits(channel)) : shown().limits(channel));
  }

  function viewNow() {
    return shown().header.channels.map((name, c) => {
      const { on, low, high } = state.view[name];
      const [dark, bright] = limitsOf(c, name);
      state.view[name].now = [dark, bright];
      return { on, low: dark + low * (bright - dark), high: dark + high * (bright - dark) };
    });
  }

  function paint() {
    const one = shown();
    if (!one?.header) return;
    state.drawn = state.frame;
    const { header } = one;
    const frame = state.whole ? header.frames[0] : state.frame;
    const there = one.has(frame);
    $("film").hidden = !there || one.isBad(frame);
    if (there && !one.isBad(frame)) {
      one.paint($("film"), frame, viewNow());
      const scale = Math.min(372 / header.width, 372 / header.height);
      for (const canvas of [$("film"), $("marks")]) Object.assign(canvas.style, { width: `${header.width * scale}px`, height: `${header.height * scale}px` });
    }
    drawMarks(one, frame, there);
    showFrame(there === null ? "no image" : there && one.isBad(frame) ? "unreadable" : there ? "" : "loading");
  }

  function drawMarks(one, frame, there) {
    const marks = $("marks");
    const scale = window.devicePixelRatio || 1;
    Object.assign(marks, { width: parseFloat(marks.style.width || 372) * scale, height: parseFloat(marks.style.height || 372) * scale });
    const context = marks.getContext("2d");
    if (state.whole) drawTracks(context, one, marks);
    else if (there && $("outline").checked && !one.isBad(frame)) one.outline(marks, frame);
    if (there && one.header.pixel_size_um) drawBar(context, marks, one.header, scale);
  }

  function drawBar(context, marks, header, scale) {
    const umAcross = header.width * (header.step || 1) * header.pixel_size_um;
    const um = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000].filter((u) => u <= umAcross / 3).pop() || 1;
    const length = (um / umAcross) * marks.width;
    Object.assign(context, { fillStyle: "#fff", strokeStyle: "#000", lineWidth: 3 * scale, font: `${11 * scale}px system-ui` });
    context.strokeRect(8 * scale, 10 * scale, length, 3 * scale);
    context.fillRect(8 * scale, 10 * scale, length, 3 * scale);
    context.strokeText(`${um} \u00b5m`, 8 * scale, 26 * scale);
    context.fillText(`${um} \u00b5m`, 8 * scale, 26 * scale);
  }

  function drawTracks(context, one, marks) {
    const factor = marks.width / (one.header.width * one.header.step);
    context.font = `${11 * (window.devicePixelRatio || 1)}px system-ui`;
    for (const track of one.header.tracks) {
      const own = track.key === state.key;
      context.strokeStyle = context.fillStyle = own ? "#ffd166" : "#56b4e9";
      context.lineWidth = own ? 2 : 1;
      context.beginPath();
      for (const [y, x] of track.way) context.lineTo((x + 0.5) * factor, (y + 0.5) * factor);
      context.stroke();
      const [y, x] = track.way.at(-1);
      context.strokeRect((x + 0.5) * factor - 5, (y + 0.5) * factor - 5, 10, 10);
      if (own || one.header.tracks.length <= 30) context.fillText(track.cell_id, (x + 0.5) * factor + 7, (y + 0.5) * factor - 5);
    }
  }

  function showFrame(remark) {
    const { header } = film();
    const hours = (state.frame * header.frame_interval_min) / 60;
    const beyond = state.frame < header.track[0] ? ", before the track" : state.frame > header.track[1] ? ", after the track" : "";
    $("frame").textContent = `frame ${state.frame}, ${hours.toFixed(1)} h${beyond}${state.mark === state.frame ? ", event" : ""}${remark ? `, ${remark}` : ""}`;
    $("scrub").value = state.frame;
    placeNow(hours);
  }

  function toFrame(frame) {
    const header = film()?.header;
    if (!header) return;
    state.frame = Math.max(header.shown[0], Math.min(header.shown[1], Math.round(frame)));
    if (state.whole) showWhole(); else paint();
  }

  function play(on = !state.playing) {
    state.playing = on;
    $("play").textContent = on ? "pause" : "play";
    if (!on) return;
    if (film()?.header && state.frame >= film().header.shown[1]) state.frame = film().header.shown[0] - 1;
    let last = performance.now();
    const tick = (now) => {
      if (!state.playing) return;
      if (now - last >= 1000 / FRAMES_A_SECOND - 4) {
        last = now;
        const header = film()?.header;
        if (header && film().has(state.frame + 1) !== false) {
          window.review.played += 1;
          toFrame(state.frame + 1 > header.shown[1] ? header.shown[0] : state.frame + 1);
        }
      }
      requestAnimationFrame(tick);
    };
    requestAnimationFrame(tick);
  }

  async function showWhole() {
    const [key, frame] = [state.key, state.frame];
    const one = Film.fetch(`/surroundings/${key}/${frame}`);
    try { await one.whenDone; await one.whenHeader; } catch (error) { showError(error); return; }
    if (state.key !== key || state.frame !== frame) return;
    $("remark").textContent = one.header.remark;
    if (!one.header.frames.length) { state.whole = null; return; }
    state.whole = one;
    state.limits = null;
    paint();
  }

  function toggleWhole() {
    if (state.whole) { state.whole = null; state.limits = null; $("remark").textContent = film().header.remark; paint(); } else showWhole();
  }

  // ---- what stands beside the film

  function showChannels() {
    const names = film().header.channels;
    const lines = [];
    names.forEach((name, c) => {
      const kept = (state.view[name] ||= { on: c < 3, low: 0, high: 1 });
      const on = make("input", "", { type: "checkbox", checked: kept.on, onchange: () => { kept.on = on.checked; paint(); } });
      const label = make("label", "", { className: "name", title: `key ${c + 1}` });
      const dot = make("span", "\u25a0 ");
      dot.style.color = `rgb(${CHANNEL_COLOURS[c % CHANNEL_COLOURS.length]})`;
      label.append(on, dot, name);
      const slider = (what, min, max) => make("input", "", { type: "range", min, max, step: 0.01, value: kept[what], title: `${what === "low" ? "black" : "white"} level`, ariaLabel: `${name}: ${what === "low" ? "black" : "white"} level`, oninput: (event) => { kept[what] = +event.target.value; paint(); } });
      const reset = make("button", "auto", { onclick: () => { Object.assign(kept, { low: 0, high: 1 }); showChannels(); paint(); } });
      lines.push(label, slider("low", -0.5, 0.95), slider("high", 0.05, 2), reset);
    });
    const hold = make("input", "", { type: "checkbox", id: "hold", checked: $("hold")?.checked || false, onchange: () => { for (const name of names) state.view[name].held = hold.checked ? state.view[name].now : null; paint(); } });
    const label = make("label", "", { title: "so that brightness can be compared" });
    label.style.gridColumn = "1 / 5";
    label.append(hold, " the same contrast for all cells");
    fill($("channels"), ...(film().header.frames.length ? [...lines, label] : []));
  }

  function showAbout() {
    const one = row();
    const blind = $("blind").checked;
    $("title").textContent = blind ? `cell ${state.place + 1} of ${state.order.length} in this order` : `${one.recording}, cell ${one.cell}${one.name ? ` (${one.name})` : ""}`;
    const seen = one.fate && one.fate !== "unscored" ? `; recorded: ${one.fate}${one.event_frame === null ? "" : ` at frame ${one.event_frame}`}` : "";
    const forecast = state.looked && one.forecast ? `; forecast: ${one.forecast}, ${one.p_call}${one.open > 1 ? `, ${one.open} outcomes left open` : ""}` : "";
    $("about").textContent = blind ? `frames ${one.first} to ${one.last}` : `${[one.condition, one.dose].filter(Boolean).join(", ")}; frames ${one.first} to ${one.last}${seen}${forecast}`;
    if (!blind && one.found) $("about").title = one.found; else $("about").removeAttribute("title");
    const family = [];
    const link = (key, word) => family.push(make("button", `${word} ${state.rows[key].cell}`, { className: "link", onclick: () => open(key, "search") }));
    if (one.mother != null) link(one.mother, "mother");
    (one.daughters || []).forEach((key) => link(key, "daughter"));
    (one.sisters || []).forEach((key) => link(key, "sister"));
    fill($("family"), ...(family.length ? family : [blind ? "" : "no relatives are known"]));
    $("html").href = `/hand_over/${state.key}.html?forecasts=${+state.looked}`;
    if (!blind) history.replaceState(null, "", `#${encodeURIComponent(one.recording)}/${one.cell}`);
    else history.replaceState(null, "", "/");
    sessionStorage.setItem(`${shelf()}at`, JSON.stringify({ hash: location.hash, from: state.from }));
    const node = state.grid?.getRowNode(String(state.key));
    if (node) { node.setSelected(true, true); state.grid.ensureNodeVisible(node); }
    showLabel();
  }

  function showLabel() {
    const mine = mineOf(row());
    document.querySelectorAll("[data-fate]").forEach((b) => b.classList.toggle("on", b.dataset.fate === mine?.fate));
    const at = mine?.event_frame == null ? "" : ` at frame ${mine.event_frame}`;
    const marked = state.mark === null ? "" : ` Event marked at frame ${state.mark}.`;
    const others = row().others && !$("blind").checked ? ` Others: ${row().others}.` : "";
    $("mine").textContent = (mine?.fate ? `You scored ${mine.fate}${at}.` : "Not scored by you yet.") + marked + others;
    const differ = Object.values(row().labels).some((l) => l.scorer !== scorer() && l.fate);
    $("settle").hidden = !differ || $("blind").checked;
    if (document.activeElement !== $("note")) $("note").value = mine?.note || "";
  }

  function showCounts() {
    const blind = $("blind").checked;
    const table = new Map();
    let newer = 0;
    for (const one of state.rows) {
      const name = blind ? "all cells" : one.condition ?? "";
      if (!table.has(name)) table.set(name, { of: 0, mitosis: 0, apoptosis: 0, neither: 0, lost: 0, unusable: 0, scored: 0 });
      const count = table.get(name);
      count.of += 1;
      if (one.label) { count.scored += 1; if (one.label in count) count[one.label] += 1; }
      for (const label of Object.values(one.labels)) {
        const applied = state.applied.get(`${one.key} ${label.scorer}`);
        if ((label.fate || applied) && applied !== label.entry_id) newer += 1;
      }
    }
    const heads = blind ? ["scored", "of"] : ["mitosis", "apoptosis", "neither", "lost", "unusable", "scored", "of"];
    const line = (cells, tag = "td") => { const tr = make("tr"); cells.forEach((c) => tr.append(make(tag, c))); return tr; };
    const body = [...table].map(([name, count]) => line([name, ...heads.map((h) => count[h].toLocaleString("en"))]));
    if (table.size > 1) {
      const all = line(["all", ...heads.map((h) => [...table.values()].reduce((sum, c) => sum + c[h], 0).toLocaleString("en"))]);
      all.className = "all";
      body.push(all);
    }
    const grid = make("table");
    grid.append(line(["", ...heads.map((h) => ({ mitosis: "mit.", apoptosis: "apo.", neither: "neith.", unusable: "unus." })[h] || h)], "th"), ...body);
    const since = make("p", "", { id: "changed" });
    if (newer) since.append(`${newer} label${newer > 1 ? "s are" : " is"} newer than the last run: `, make("code", state.run));
    fill($("counts"), grid, since);
  }

  // ---- curves

  function showCurves(figure) {
    state.figure = figure;
    window.dash_clientside.set_props("curves", { figure: figure || { data: [], layout: {} } });
  }

  function placeNow(hours) {
    const meta = state.figure?.layout.meta;
    const now = $("now");
    now.style.display = meta && meta.n_panels ? "block" : "none";
    if (!meta) return;
    const { l, r } = state.figure.layout.margin;
    const wide = $("curves").clientWidth - l - r;
    now.style.left = `${l + ((hours - meta.hours[0]) / (meta.hours[1] - meta.hours[0] || 1)) * wide}px`;
    now.style.height = `${state.figure.layout.height - 8}px`;
  }

  function clickCurves(event) {
    const meta = state.figure?.layout.meta;
    if (!meta?.n_panels) return;
    const { l, r } = state.figure.layout.margin;
    const share = (event.clientX - $("curves").getBoundingClientRect().left - l) / ($("curves").clientWidth - l - r);
    if (share < -0.02 || share > 1.02) return;
    play(false);
    toFrame(((meta.hours[0] + share * (meta.hours[1] - meta.hours[0])) * 60) / film().header.frame_interval_min);
  }

  // ---- labelling: shown at once, kept in this browser until the server has it

  const newId = () => crypto.randomUUID().replaceAll("-", "");
  const shelf = () => `cellfate:${state.id}:`;

  function score(fate, change = {}) {
    if (!scorer()) { tell("Say who scores first: a name in the field scorer."); $("scorer").focus(); return; }
    const one = row();
    if (!one) return;
    if (EVENTS.includes(fate) && state.mark === null && state.frame === null && change.event_frame === undefined) {
      tell("The film is not there yet, so nobody saw when the event is; nothing was scored.");
      return;
    }
    const before = mineOf(one);
    const event = state.mark ?? (EVENTS.includes(fate) ? state.frame : null);
    const label = put(one, { fate, event_frame: event, note: $("note").value.trim(), adjudicates: !$("settle").hidden && $("settles").checked, ...change });
    state.done.push({ before, now: label, from: state.from });
    state.undone = [];
    keepHistory();
    if ($("advance").checked && !Object.keys(change).length) goOn(); else showLabel();
  }

  function put(one, { fate, event_frame, note, adjudicates = false }, from = state.from) {
    const label = {
      entry_id: newId(), scorer: scorer(), queue: from, blind: $("blind").checked, recording_id: one.recording, cell_id: one.cell,
      fate, event_frame, note, after: mineOf(one)?.entry_id ?? null, looked_at_forecasts: state.looked, adjudicates,
    };
    localStorage.setItem(`${shelf()}${Date.now()}:${label.entry_id}`, JSON.stringify(label));
    state.outbox.push(label);
    one.labels[label.scorer] = { ...label, key: one.key };
    describeLabels(one);
    state.grid?.applyTransaction({ update: [one] });
    showCounts();
    send();
    return label;
  }

  function remove(label) {
    state.outbox = state.outbox.filter((other) => other !== label);
    for (const name of Object.keys(localStorage)) if (name.endsWith(label.entry_id)) localStorage.removeItem(name);
  }

  async function send() {
    if (state.sending) return;
    state.sending = true;
    while (state.outbox.length) {
      const label = state.outbox[0];
      showSaved();
      try {
        const found = await ask("/labels", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ label, since: state.since, scorer: scorer() }) });
        remove(label);
        state.since = found.since;
        takeLabels(found.labels);
        if (state.refused) { state.refused = ""; tell(""); }
      } catch (error) {
        if (error.status === 409 || error.status === 422) { remove(label); refuse(label, error); continue; }
        state.refused = error.status ? error.message : "The server does not answer: what you scored is kept in this browser and sent as soon as it does.";
        tell(state.refused);
        showSaved();
        await new Promise((resolve) => setTimeout(resolve, 1000));
      }
    }
    state.sending = false;
    showSaved();
  }

  /** A label that was not stored: somebody scored the cell in the meantime, or the study has changed. */
  function refuse(label, error) {
    const one = state.rows[find(label)];
    if (error.status === 422 || !one) { tell(`${error.message} Not stored: ${label.recording_id}, cell ${label.cell_id}, ${label.fate}.`); return; }
    const { newest, labels, since } = error.body;
    state.outbox.filter((other) => other.after === label.entry_id).forEach((other) => { other.after = newest?.entry_id ?? null; });
    if (newest) one.labels[label.scorer] = newest; else delete one.labels[label.scorer];
    describeLabels(one);
    state.since = since;
    takeLabels(labels);
    tell(`Another page scored ${label.recording_id}, cell ${label.cell_id} as ${newest?.fate || "not scored"} in the meantime; yours (${label.fate || "taken back"}) is not stored.`,
      ["store mine", () => { tell(""); put(one, label, label.queue); if (one === row()) showLabel(); }]);
  }

  function showSaved() {
    const n = state.outbox.length;
    $("saved").textContent = n ? `${n} not saved yet` : "all saved";
    $("saved").className = n && state.refused ? "waiting" : "";
  }

  function keepHistory() {
    sessionStorage.setItem(`${shelf()}history`, JSON.stringify({ done: state.done.slice(-200), undone: state.undone }));
  }

  function undo() {
    const last = state.done.pop();
    if (!last) return;
    open(find(last.now), last.from);
    put(row(), last.before?.fate ? last.before : { fate: null, event_frame: null, note: "" });
    state.undone.push(last);
    keepHistory();
    showLabel();
  }

  function redo() {
    const next = state.undone.pop();
    if (!next) return;
    open(find(next.now), next.from);
    put(row(), next.now);
    state.done.push(next);
    keepHistory();
    showLabel();
  }

  function mark() {
    if (state.frame === null) return;
    const fate = mineOf(row())?.fate;
    if (fate && fate !== "unusable") score(fate, { event_frame: state.frame });
    state.mark = state.frame;
    showLabel();
    paint();
  }

  function saveNote() {
    const mine = mineOf(row());
    const note = $("note").value.trim();
    if (mine?.fate && note !== (mine.note || "")) score(mine.fate, { event_frame: mine.event_frame, note });
  }

  // ---- handing over

  function say(...parts) { fill($("said"), ...parts); $("dialog").showModal(); }

  function help() {
    const table = make("table");
    for (const [keys, what] of [["m a n l x", "mitosis, apoptosis, neither, lost, unusable track"], ["e", "the event is at this frame (without it: the frame shown when m or a is pressed)"], ["j k", "next, previous cell"], ["u r", "undo, redo"], ["space", "play, pause"], ["\u2190 \u2192", "a frame back, forth (with shift: ten)"], ["Home End", "first, last frame of the track"], ["1 2 3", "a channel on, off"], ["s o", "surroundings, outline"], ["f", "forecasts on, off"], ["c", "write a note (Escape: done)"], ["/", "search the table (Escape: back)"], ["?", "this list"]]) {
      const line = make("tr");
      const head = make("th");
      head.append(make("kbd", keys));
      line.append(head, make("td", what));
      table.append(line);
    }
    say(table);
  }

  async function agreement() {
    let found;
    try { found = await ask("/agreement"); } catch (error) { showError(error); return; }
    const table = make("table");
    const line = (cells, tag) => { const tr = make("tr"); cells.forEach((c) => tr.append(make(tag, c))); table.append(tr); };
    line(found.columns, "th");
    found.rows.forEach((cells) => line(cells, "td"));
    say(make("p", found.sentence), ...(found.rows.length ? [table] : []));
  }

  function link() {
    const one = row();
    const address = `${location.origin}/#${encodeURIComponent(one.recording)}/${one.cell}`;
    navigator.clipboard?.writeText(address).catch(() => {});
    say(make("p", "This address opens the cell again, while the server runs:"), make("code", address));
  }

  async function png() {
    const sheet = make("canvas");
    const curves = await window.Plotly.toImage($("curves").querySelector(".js-plotly-plot"), { format: "png", width: 830, height: state.figure.layout.height });
    const image = new Image();
    image.src = curves;
    await image.decode();
    Object.assign(sheet, { width: 1240, height: Math.max(440, image.height + 60) });
    const context = sheet.getContext("2d");
    context.fillStyle = "#fff";
    context.fillRect(0, 0, sheet.width, sheet.height);
    context.imageSmoothingEnabled = false;
    context.drawImage($("film"), 10, 50, 372, 372);
    context.drawImage($("marks"), 10, 50, 372, 372);
    context.drawImage(image, 396, 50);
    context.fillStyle = "#1f2933";
    context.font = "16px system-ui";
    context.fillText(`${$("title").textContent}, ${$("frame").textContent}. ${$("mine").textContent}`, 10, 30, 1220);
    sheet.toBlob((blob) => {
      const url = URL.createObjectURL(blob);
      make("a", "", { href: url, download: `${$("title").textContent.replace(/[^\w.-]+/g, "_")}.png` }).click();
      setTimeout(() => URL.revokeObjectURL(url), 1000);
    });
  }

  // ---- keys, buttons, start

  function showForecastColumns() {
    state.grid.setColumnsVisible(["forecast", "p_call", "open"], $("forecasts").checked && !$("blind").checked);
  }

  async function changeForecasts() {
    showForecastColumns();
    state.films.clear();
    if (state.key !== null) { const [at, from] = [state.frame, state.from]; const looked = state.looked; await open(state.key, from); state.looked ||= looked; toFrame(at); showAbout(); }
  }

  async function changeBlind() {
    try { await ask("/blind", { method: "POST", body: JSON.stringify({ on: $("blind").checked }) }); } catch (error) { showError(error); $("blind").checked = !$("blind").checked; return; }
    showBlind();
    await start();
  }

  function showBlind() {
    if ($("blind").checked) { $("forecasts").checked = false; if (BY_FORECASTS.includes($("queue").value)) $("queue").value = "random"; }
    $("forecasts").disabled = $("blind").checked;
    document.body.classList.toggle("blind", $("blind").checked);
  }

  const actions = {
    play: () => play(), back: () => { play(false); toFrame(state.frame - 1); }, forth: () => { play(false); toFrame(state.frame + 1); },
    surroundings: toggleWhole, mark, next: () => go(1), previous: () => go(-1), undo, redo, help, agreement, link, png,
  };
  const keys = {
    e: mark, j: actions.next, k: actions.previous, u: undo, r: redo, s: toggleWhole, " ": actions.play, "?": help,
    o: () => { $("outline").checked = !$("outline").checked; paint(); }, c: () => $("note").focus(), "/": () => $("search").focus(),
    f: () => { if (!$("forecasts").disabled) { $("forecasts").checked = !$("forecasts").checked; changeForecasts(); } },
  };
  const moves = {
    ArrowLeft: (event) => toFrame(state.frame - (event.shiftKey ? 10 : 1)), ArrowRight: (event) => toFrame(state.frame + (event.shiftKey ? 10 : 1)),
    Home: () => toFrame(film().header.track[0]), End: () => toFrame(film().header.track[1]),
  };

  function onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || $("dialog").open) return;
    const at = event.target;
    if (at.matches("textarea, select, input:not([type=checkbox]):not([type=range])")) { if (event.key === "Escape" || (event.key === "Enter" && at !== $("note"))) at.blur(); return; }
    const inGrid = at.closest?.("#cells-box");
    if (state.key === null || (inGrid && (event.key in moves || event.key === " "))) return;
    if (event.repeat && !(event.key in moves)) return; // a key that is held scores one cell
    const act = keys[event.key] || (FATES[event.key] && (() => score(FATES[event.key]))) || (moves[event.key] && (() => { play(false); moves[event.key](event); }));
    const channel = /^[1-9]$/.test(event.key) && film()?.header?.channels[+event.key - 1];
    if (event.key === " " && at.matches("button, input")) at.blur();
    if (channel) { state.view[channel].on = !state.view[channel].on; showChannels(); paint(); } else if (!act) return; else act();
    event.preventDefault();
  }

  function listen() {
    document.addEventListener("keydown", onKey);
    document.addEventListener("click", (event) => {
      const button = event.target.closest("[data-do], [data-fate]");
      if (!button || state.key === null) return;
      if (button.dataset.fate) score(button.dataset.fate); else actions[button.dataset.do]();
      button.blur();
    });
    $("scrub").oninput = () => { play(false); toFrame(+$("scrub").value); };
    $("outline").onchange = paint;
    $("note").onblur = saveNote;
    $("search").oninput = () => state.grid.setGridOption("quickFilterText", $("search").value);
    $("queue").onchange = () => { $("queue").blur(); start(); };
    $("forecasts").onchange = changeForecasts;
    $("blind").onchange = changeBlind;
    $("scorer").onchange = () => { localStorage.setItem("cellfate:scorer", scorer()); state.rows.forEach(describeLabels); state.grid.refreshCells({ force: true }); start(); };
    $("film").parentElement.onclick = clickWhole;
    $("curves-box").addEventListener("click", clickCurves);
    window.addEventListener("hashchange", openLinked);
    window.addEventListener("focus", catchUp);
    window.addEventListener("resize", () => film()?.header && paint());
    state.grid.addEventListener("rowClicked", (event) => open(event.data.key, "search"));
    state.grid.addEventListener("cellKeyDown", (event) => { if (event.event.key === "Enter") open(event.data.key, "search"); });
  }

  function clickWhole(event) {
    if (!state.whole) return;
    const box = $("marks").getBoundingClientRect();
    const factor = box.width / (state.whole.header.width * state.whole.header.step);
    const far = ({ way }) => Math.hypot((way.at(-1)[1] + 0.5) * factor - (event.clientX - box.left), (way.at(-1)[0] + 0.5) * factor - (event.clientY - box.top));
    const nearest = state.whole.header.tracks.reduce((best, track) => (best && far(best) <= far(track) ? best : track), null);
    if (nearest && far(nearest) < 20) open(nearest.key, "search");
  }

  async function catchUp() {
    if (state.sending) return;
    try { const found = await ask(`/labels?since=${state.since}&scorer=${encodeURIComponent(scorer())}`); state.since = found.since; takeLabels(found.labels); } catch { /* told when something is scored */ }
  }

  function openLinked() {
    const [recording, cell] = location.hash.slice(1).split("/").map(decodeURIComponent);
    const key = recording && cell ? find({ recording_id: recording, cell_id: +cell }) : -1;
    if (recording && cell && key < 0) tell(`The study has no cell ${cell} in recording ${recording}.`);
    const before = JSON.parse(sessionStorage.getItem(`${shelf()}at`) || "{}");  // a reload is no search
    if (key >= 0 && key !== state.key) open(key, before.hash === location.hash ? before.from : "search");
    return key >= 0;
  }

  async function start(linked = false) {
    try {
      await loadCells();
      await loadOrder();
    } catch (error) { showError(error); $("queue").value = state.queue; return; }
    state.films.clear();
    if (linked && !$("blind").checked && openLinked()) return;
    const place = nextUnscored(-1);
    if (place < 0) tell(state.order.length ? "All cells of this order are scored." : "No cell is left in this order.");
    open(state.order[Math.max(0, place)] ?? state.key ?? 0, state.order.length ? state.queue : "search");
  }

  async function begin() {
    const until = async (is) => { while (!is()) await new Promise((resolve) => setTimeout(resolve, 20)); };
    await until(() => window.dash_clientside?.set_props && window.dash_ag_grid?.getApiAsync && $("cells") && $("curves"));
    state.grid = await window.dash_ag_grid.getApiAsync("cells");
    $("scorer").value = localStorage.getItem("cellfate:scorer") || "";
    listen();
    try { Object.assign(state, await ask("/study")); } catch (error) { showError(error); return; }
    $("blind").checked = state.blind;
    showBlind();
    const kept = Object.keys(localStorage).filter((name) => name.startsWith(shelf())).sort();
    state.outbox = kept.map((name) => JSON.parse(localStorage.getItem(name)));
    Object.assign(state, JSON.parse(sessionStorage.getItem(`${shelf()}history`) || "{}"));
    await start(true);
    send();
  }

  window.review = { state, pictureMs: null, played: 0 };
  begin();
})();
