// The query explorer: one query, and its nearest images by every chosen method side by side.
"use strict";

const WRONG = 0, RIGHT = 1, UNJUDGED = 2;

const FILTERS = {
  all: ["All queries", () => true],
  deep: ["Only deep right", (tops) => onlyRight(tops, true)],
  classical: ["Only classical right", (tops) => onlyRight(tops, false)],
  fail: ["All fail", (tops) => tops.length > 0 && tops.every((top) => top.state === WRONG)],
  distractor: ["Distractor on top", (tops) => tops.some((top) => top.isDistractor)],
};

const explorer = { data: null, methods: [], chosen: null, filter: "all", passing: [], at: 0 };

/** Whether some are right, and those are all deep or all classical. */
function onlyRight(tops, isDeep) {
  const right = tops.filter((top) => top.state === RIGHT);
  return right.length > 0 && right.every((top) => top.isDeep === isDeep);
}

/** The nearest images of a query by a method: {image, state, mark}. */
function neighbours(name, query, count = explorer.data.first) {
  const { codes, images, first } = explorer.data;
  const some = codes.get(name).subarray(query * first, query * first + count);
  return Array.from(some.filter((code) => code > 0), (code) => {
    const image = images[Math.floor((code - 1) / 3)], state = (code - 1) % 3;
    const mark = state === WRONG && image[2] !== null ? "distractor" : ["wrong", "right", "unjudged"][state];
    return { image, state, mark };
  });
}

/** The nearest image of a query by each chosen method. */
function tops(query) {
  return chosenMethods().map(({ name, isDeep }) => {
    const [top] = neighbours(name, query, 1);
    return { isDeep, state: top?.state ?? UNJUDGED, isDistractor: top?.mark === "distractor" };
  });
}

const chosenMethods = () => explorer.methods.filter(({ name }) => explorer.chosen.has(name));

/** The best method of each family: methods are in order of mAP. */
function bestOfEachFamily() {
  const best = new Map();
  for (const { family, name } of explorer.methods) if (!best.has(family)) best.set(family, name);
  return new Set(best.values());
}

function prepareExplorer() {
  byId("previous").addEventListener("click", () => step(-1));
  byId("next").addEventListener("click", () => step(1));
  byId("query").addEventListener("change", () => toQuery(Number(byId("query").value)));
  document.addEventListener("keydown", (event) => {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const busy = event.target.closest?.("input, select, textarea, .scroll");
    if (!by || busy || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    step(by);
  });
  const choices = {
    "Best of each family": bestOfEachFamily,
    All: () => new Set(explorer.methods.map(({ name }) => name)),
    None: () => new Set(),
  };
  byId("choices").append(...Object.entries(choices).map(([text, choose]) =>
    make("button", { type: "button", click: () => {
      explorer.chosen = choose();
      drawChooser();
      filterQueries();
    } }, text)));
  byId("marks").append(...legend());
}

/** Take over a query set's data; `showQuery` shows a query of it. */
function setExplorer(data, methods) {
  const Codes = data.bytes === 2 ? Uint16Array : Uint32Array;
  const decode = (text) => new Codes(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer);
  data.codes ??= new Map(Object.entries(data.neighbours).map(([name, text]) => [name, decode(text)]));
  explorer.data = data;
  explorer.methods = methods.filter(({ name }) => data.codes.has(name));
  if (explorer.chosen === null || chosenMethods().length === 0) explorer.chosen = bestOfEachFamily();
  drawChooser();
}

function drawChooser() {
  const count = () => {
    byId("chooser").firstElementChild.textContent = `Methods shown (${chosenMethods().length})`;
  };
  count();
  byId("methods").replaceChildren(...familiesOf(explorer.methods).map((family) =>
    make("fieldset", { class: "chips" }, make("legend", {}, family),
      ...explorer.methods.filter((method) => method.family === family).map(({ name, label }) =>
        check(label, explorer.chosen.has(name), (on) => {
          explorer.chosen[on ? "add" : "delete"](name);
          count();
          filterQueries();
        }, { value: name })))));
}

function drawFilters() {
  const { set, sets } = page;
  const other = sets.find(({ isDrawn }) => isDrawn !== set.isDrawn);
  byId("query-filters").replaceChildren(
    ...Object.entries(FILTERS).map(([name, [text]]) =>
      toggle(text, explorer.filter === name, () => {
        explorer.filter = name;
        filterQueries();
      }, { "data-filter": name })),
    other ? toggle("Sketches", set.isDrawn, () => go(page.dataset.name, other.name, explorer.at),
      { "data-filter": "sketches" }) : ""
  );
}

/** Find the queries that pass the filter, and show one of them, the present one if it does. */
function filterQueries() {
  const { queries } = explorer.data;
  const test = FILTERS[explorer.filter][1];
  explorer.passing = [...queries.keys()].filter(
    (query) => explorer.filter === "all" || test(tops(query))
  );
  drawFilters();
  const text = ([id, label]) => (label === null ? id : `${label} · ${id.split("/").at(-1)}`);
  fillSelect(byId("query"), explorer.passing.map((q) => [q, text(queries[q])]), explorer.at);
  if (explorer.passing.includes(explorer.at) || explorer.passing.length === 0) drawQuery();
  else toQuery(explorer.passing.find((query) => query > explorer.at) ?? explorer.passing[0]);
}

/** Show a query by its number; a filter that would hide it is taken off. */
function showQuery(number) {
  explorer.at = number;
  if (explorer.filter !== "all" && !FILTERS[explorer.filter][1](tops(number))) explorer.filter = "all";
  filterQueries();
}

function toQuery(number) {
  explorer.at = number; // at once: keys may come faster than the address changes
  go(page.dataset.name, page.set.name, number);
}

function step(by) {
  const { passing, at } = explorer;
  if (passing.length < 1) return;
  const place = Math.max(0, passing.indexOf(at));
  toQuery(passing[(place + by + passing.length) % passing.length]);
}

function drawQuery() {
  const { queries } = explorer.data;
  const place = explorer.passing.indexOf(explorer.at);
  byId("query").value = explorer.at;
  for (const id of ["previous", "next", "query"]) byId(id).disabled = explorer.passing.length === 0;
  byId("position").textContent = place < 0
    ? `none of ${queries.length} queries`
    : `${place + 1} of ${explorer.passing.length}`;
  if (place < 0) {
    byId("shown-query").replaceChildren(make("p", { class: "notice" },
      "No query passes this filter with the methods shown."));
    byId("lines").replaceChildren();
    return;
  }
  const [id, label, , file, scored] = queries[explorer.at];
  byId("shown-query").replaceChildren(make("figure", { class: "query" }, thumbnail(id, file),
    make("figcaption", {}, make("strong", {}, label ?? "query"), make("span", { class: "muted" }, id),
      scored || !page.dataset.labelled ? "" : make("span", { class: "notice" },
        "nothing in the gallery is right for it; it is left out of the scores"))));
  byId("lines").replaceChildren(...chosenMethods().map((method) => methodLine(method, explorer.at)));
}

function methodLine(method, query) {
  const images = neighbours(method.name, query);
  const right = images.filter(({ state }) => state === RIGHT).length;
  const judged = images.some(({ state }) => state !== UNJUDGED);
  const said = judged ? make("span", { class: "muted" }, ` ${right} of ${images.length} right`) : "";
  return line(method, [said], images.map(({ image: [id, label, distractor, file], mark }) =>
    make("li", { class: mark }, thumbnail(id, file), caption(nameOf(id, label, distractor), mark))));
}
