// The table of all methods: filters, columns, and the first direction of sorting.
"use strict";

const ANY = "";
const LIMITS = {
  bytes_per_image: [64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 65536],
  extraction_ms: [1, 2, 5, 10, 20, 50, 100, 200, 500],
};

const { columns, families } = BENCHMARK["index.js"];

const table = {
  methods: [],
  sortedBy: "map",
  direction: "descending",
  columns: new Set(columns.filter(({ isShown }) => isShown).map(({ key }) => key)),
  families: new Set(),
  isShallow: false,
};

/** The families of some methods, in order. */
const familiesOf = (methods) =>
  families.filter((family) => methods.some((method) => method.family === family));

const heading = (wanted) => columns.find(({ key }) => key === wanted).heading;

function prepareTable() {
  const written = (key, most) => (key === "extraction_ms" ? most : most < 1024 ? `${most} B` : `${most / 1024} KB`);
  for (const [key, limits] of Object.entries(LIMITS)) {
    const texts = limits.map((most) => [most, `at most ${written(key, most)}`]);
    fillSelect(byId(key), [[ANY, "any"], ...texts], ANY);
  }
  byId("columns").append(...columns.map(({ key, heading, isShown }) =>
    check(heading, isShown, (on) => {
      table.columns[on ? "add" : "delete"](key);
      drawTable();
    }, { value: key })));
  byId("presets").append(
    toggle("Small: at most 1 KB", false, () => limit("bytes_per_image", 1024), { id: "small" }),
    toggle("Fast: at most 10 ms", false, () => limit("extraction_ms", 10), { id: "fast" }),
    toggle("Without networks", false, () => {
      table.isShallow = !table.isShallow;
      filterTable();
    }, { id: "shallow" }),
    make("button", { type: "button", id: "everything", click: everything }, "Everything")
  );
  byId("filters").addEventListener("submit", (event) => event.preventDefault());
  for (const what of ["input", "change"]) byId("filters").addEventListener(what, filterTable);
  byId("intervals").checked = window.innerWidth > 760; // no room on a phone, unless asked for
  const bare = () => byId("table").classList.toggle("bare", !byId("intervals").checked);
  byId("intervals").addEventListener("change", bare);
  bare();
  byId("table").addEventListener("click", smallestFirst, true);
  byId("table").addEventListener("sort-end", () => {
    const sorted = byId("table").tHead.querySelector("[aria-sort]");
    table.sortedBy = sorted.dataset.key;
    table.direction = sorted.getAttribute("aria-sort");
  });
}

/** Sort names and costs from the smallest; the library begins with the largest. */
function smallestFirst(event) {
  const heading = event.target.closest("thead th");
  if (heading?.hasAttribute("data-smallest") && !heading.hasAttribute("aria-sort")) {
    heading.setAttribute("aria-sort", "descending");
  }
}

/** Set a limit, or take it off again. */
function limit(key, most) {
  byId(key).value = byId(key).value === String(most) ? ANY : most;
  filterTable();
}

function everything() {
  for (const id of [...Object.keys(LIMITS), "name"]) byId(id).value = ANY;
  table.isShallow = false;
  table.families.clear();
  drawFamilies();
  filterTable();
}

function showTable(data) {
  table.methods = data.methods;
  byId("legend").textContent = data.legend;
  drawFamilies();
  drawTable();
}

function drawFamilies() {
  byId("families").replaceChildren(make("legend", {}, "Family"),
    ...familiesOf(table.methods).map((family) =>
      check(family, table.families.has(family), (on) => {
        table.families[on ? "add" : "delete"](family);
      }, { value: family })));
}

function drawTable() {
  const shown = columns.filter(({ key }) =>
    table.columns.has(key) && table.methods.some(({ cells }) => cells[key]));
  const head = (key, text, isSmallestFirst) =>
    make("th", { scope: "col", "data-key": key, "data-smallest": isSmallestFirst },
      make("button", { type: "button" }, text));
  byId("table").replaceChildren(
    make("thead", {}, make("tr", {}, head("name", "method", true),
      ...shown.map(({ key, heading, isCost }) => head(key, heading, isCost)))),
    make("tbody", {}, ...table.methods.map((method) => tableRow(method, shown))));
  const sorted = byId("table").querySelector(`[data-key="${table.sortedBy}"]`);
  if (sorted) {
    // A click turns the order round.
    sorted.setAttribute("aria-sort", table.direction === "ascending" ? "descending" : "ascending");
    sorted.click();
  }
  filterTable();
}

function tableRow(method, shown) {
  const { name, label, family, absent, note, isChance } = method;
  const row = make("tr", { "data-method": name, class: isChance ? "chance" : null },
    make("th", { scope: "row", "data-sort": name }, breakable(label),
      ...(family ? [" ", make("span", { class: "family" }, family)] : []),
      absent && make("span", { class: "absent" }, absent),
      note && make("details", { class: "small" }, make("summary", {}, "note"), note)),
    ...shown.map(({ key, isCost }) => {
      const [value, text, detail] = method.cells[key] ?? ["", "", ""];
      const style = isCost || value === "" ? null : `--share: ${value}`;
      return make("td", { "data-sort": value, style }, text,
        detail && make("span", { class: "detail" }, detail));
    }));
  row.method = method;
  return row;
}

function passes({ label, family, cells, isChance, isDeep }) {
  if (!label.toLowerCase().includes(byId("name").value.trim().toLowerCase())) return false;
  if (isChance) return true;
  const isTooMuch = (key) =>
    byId(key).value !== ANY && !((cells[key] ?? [Infinity])[0] <= Number(byId(key).value));
  if (Object.keys(LIMITS).some(isTooMuch) || (table.isShallow && isDeep)) return false;
  return table.families.size === 0 || table.families.has(family);
}

function filterTable() {
  for (const row of byId("table").tBodies[0]?.rows ?? []) row.hidden = !passes(row.method);
  const pressed = {
    small: byId("bytes_per_image").value === "1024",
    fast: byId("extraction_ms").value === "10",
    shallow: table.isShallow,
  };
  for (const [id, on] of Object.entries(pressed)) byId(id).setAttribute("aria-pressed", String(on));
  const all = table.methods.filter(({ isChance }) => !isChance);
  const passing = all.filter(passes);
  byId("answer").replaceChildren(`${passing.length} of ${all.length} methods.`);
  const best = passing.find(({ cells }) => cells.map);
  if (best) {
    const costs = Object.keys(LIMITS)
      .filter((key) => best.cells[key])
      .map((key) => `${best.cells[key][1]} ${heading(key)}`);
    byId("answer").append(" Best by mAP: ", make("strong", {}, best.label),
      `, ${best.cells.map[1]} (${costs.join(", ")}).`);
  }
}
