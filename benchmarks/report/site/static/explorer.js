// The query explorer: one query, and the first images of every chosen extractor side by side.
"use strict";

const WRONG = 0, RIGHT = 1, UNJUDGED = 2;

const FILTERS = {
  all: ["All queries", () => true],
  deep: ["Only deep right", (rows) => only(rows, true)],
  classical: ["Only classical right", (rows) => only(rows, false)],
  fail: ["All fail", (rows) => rows.length > 0 && rows.every((one) => one.state === WRONG)],
  distractor: ["Distractor on top", (rows) => rows.some((one) => one.distractor)],
};

const explorer = { data: null, rows: [], chosen: null, filter: "all", passing: [], at: 0 };

const MARKS = {
  right: ["○", "right"],
  wrong: ["✕", "wrong"],
  distractor: ["◆", "wrong: a distractor, of no class that is asked for"],
  unjudged: ["", "not judged"],
};

/** Whether some are right, and those are all of one side. */
function only(rows, deep) {
  const right = rows.filter((one) => one.state === RIGHT);
  return right.length > 0 && right.every((one) => one.deep === deep);
}

/** The first images of a query as a row found them: {image, state}. */
function found(name, query, count = explorer.data.first) {
  const { rows, width, digits, images, first } = explorer.data;
  const made = [];
  for (let place = 0; place < count; place++) {
    const at = (query * first + place) * width;
    let code = 0;
    for (const digit of rows[name].slice(at, at + width)) code = 64 * code + digits.indexOf(digit);
    if (code > 0) made.push({ image: images[Math.floor((code - 1) / 3)], state: (code - 1) % 3 });
  }
  return made;
}

/** What the chosen rows have on top for a query. */
function tops(query) {
  return shownRows().map((row) => {
    const [top] = found(row.row, query, 1);
    return {
      deep: row.deep,
      state: top ? top.state : UNJUDGED,
      distractor: Boolean(top) && top.state === WRONG && top.image[2] !== null,
    };
  });
}

const shownRows = () => explorer.rows.filter((row) => explorer.chosen.has(row.row));

/** The best of each kind. Rows are in order of mAP. */
function bestOfEachKind() {
  const best = new Map();
  for (const row of explorer.rows) if (!best.has(row.kind)) best.set(row.kind, row.row);
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
  byId("choices").append(
    ...[
      ["Best of each kind", bestOfEachKind],
      ["All", () => new Set(explorer.rows.map((row) => row.row))],
      ["None", () => new Set()],
    ].map(([text, choose]) =>
      make("button", { type: "button", click: () => {
        explorer.chosen = choose();
        drawExtractors();
        filterQueries();
      } }, text)
    )
  );
  byId("marks").append(
    ...Object.entries(MARKS).map(([kind, [mark, meaning]]) =>
      make("span", { class: `sample ${kind}` }, `${mark} ${meaning}`.trim()))
  );
}

/** Take over a query set's data; returns nothing, the query is shown by `showQuery`. */
function setExplorer(data, rows) {
  explorer.data = data;
  explorer.rows = rows.filter((row) => data.rows[row.row] !== undefined);
  const still = [...(explorer.chosen ?? [])].filter((name) => data.rows[name] !== undefined);
  if (explorer.chosen === null || still.length === 0) explorer.chosen = bestOfEachKind();
  drawExtractors();
}

function drawExtractors() {
  byId("chooser").firstElementChild.textContent = `Extractors shown (${shownRows().length})`;
  const kinds = BENCHMARK["index.js"].kinds.map((kind) => [
    kind, explorer.rows.filter((row) => row.kind === kind),
  ]);
  byId("extractors").replaceChildren(
    ...kinds.filter(([, rows]) => rows.length).map(([kind, rows]) =>
      make("fieldset", { class: "chips" }, make("legend", {}, kind), ...rows.map((row) =>
        check(row.label, explorer.chosen.has(row.row), (on) => {
          explorer.chosen[on ? "add" : "delete"](row.row);
          byId("chooser").firstElementChild.textContent = `Extractors shown (${shownRows().length})`;
          filterQueries();
        }, { value: row.row })))
    )
  );
}

function drawFilters() {
  const { set, sets } = page;
  const drawn = sets.find((other) => other.drawn);
  const plain = sets.find((other) => !other.drawn);
  byId("query-filters").replaceChildren(
    ...Object.entries(FILTERS).map(([name, [text]]) =>
      toggle(text, explorer.filter === name, () => {
        explorer.filter = name;
        filterQueries();
      }, { "data-filter": name })),
    drawn && plain ? toggle("Sketches", set.drawn, () => {
      go(page.dataset.name, (set.drawn ? plain : drawn).name, explorer.at);
    }, { "data-filter": "sketches" }) : ""
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
    byId("asked").replaceChildren(make("p", { class: "notice" },
      "No query passes this filter with the extractors shown."));
    byId("lines").replaceChildren();
    return;
  }
  const [id, label, , file, scored] = queries[explorer.at];
  byId("asked").replaceChildren(make("figure", { class: "asked" }, thumbnail(id, file),
    make("figcaption", {}, make("strong", {}, label ?? "query"), make("span", { class: "muted" }, id),
      scored || !page.dataset.labelled ? "" : make("span", { class: "notice" },
        "nothing in the gallery is right for it; it is left out of the scores"))));
  byId("lines").replaceChildren(...shownRows().map((row) => line(row, explorer.at)));
}

function line(row, query) {
  const images = found(row.row, query);
  const right = images.filter((one) => one.state === RIGHT).length;
  const judged = images.some((one) => one.state !== UNJUDGED);
  return make("div", { class: "line", "data-row": row.row, role: "group", "aria-label": row.label },
    make("div", { class: "who" }, make("strong", {}, breakable(row.label)), " ",
      row.kind ? make("span", { class: "kind" }, row.kind) : "",
      judged ? make("span", { class: "muted" }, ` ${right} of ${images.length} right`) : ""),
    make("ol", { class: "found" }, ...images.map(neighbour)));
}

function neighbour({ image: [id, label, distractor, file], state }) {
  const kind = { [RIGHT]: "right", [UNJUDGED]: "unjudged" }[state]
    ?? (distractor === null ? "wrong" : "distractor");
  const [mark, meaning] = MARKS[kind];
  const name = label ?? (distractor || id.split("/").at(-1));
  return make("li", { class: kind }, thumbnail(id, file),
    make("span", { class: "caption", title: `${name}: ${meaning}` },
      make("span", { class: "mark", role: "img", "aria-label": meaning }, mark), " ", name));
}
