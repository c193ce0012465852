/* How much is scored, by condition; what the last run does not know yet; what is hidden from the blind. */

import { $, fill, make, state } from "./state.js";

const FATES = { mitosis: "mit.", apoptosis: "apo.", neither: "neith.", lost: "lost", unusable: "unus." };

export function showCounts() {
  const heads = [...(state.blind ? [] : Object.keys(FATES)), "scored", "of"];
  const counted = count();
  const body = [...counted].map(([name, counts]) => line([name, ...heads.map((head) => counts[head])]));
  if (counted.size > 1) {
    const sums = heads.map((head) => [...counted.values()].reduce((sum, counts) => sum + counts[head], 0));
    body.push(Object.assign(line(["all", ...sums]), { className: "all" }));
  }
  const table = make("table");
  table.append(line(["", ...heads.map((head) => FATES[head] || head)], "th"), ...body);
  fill($("counts"), table, tellNewer(), make("p", state.hidden, { id: "hidden" }));
}

function line(cells, tag = "td") {
  const tr = make("tr");
  for (const cell of cells) tr.append(make(tag, typeof cell === "number" ? cell.toLocaleString("en") : cell));
  return tr;
}

function count() {
  const counted = new Map();
  for (const one of state.rows) {
    const name = state.blind ? "all cells" : one.condition ?? "";
    if (!counted.has(name)) counted.set(name, { mitosis: 0, apoptosis: 0, neither: 0, lost: 0, unusable: 0, scored: 0, of: 0 });
    const counts = counted.get(name);
    counts.of += 1;
    if (one.label) { counts.scored += 1; counts[one.label] += 1; }
  }
  return counted;
}

/** Say how many labels the last run did not know, and what uses them. */
function tellNewer() {
  let newer = 0;
  for (const one of state.rows) {
    for (const label of Object.values(one.labels)) {
      const applied = state.applied.get(`${one.key} ${label.scorer}`);
      if ((label.fate || applied) && applied !== label.entry_id) newer += 1;
    }
  }
  const said = make("p", "", { id: "changed" });
  if (newer) said.append(`${newer} label${newer > 1 ? "s are" : " is"} newer than the last run: `, make("code", state.run));
  return said;
}
