// The table of all rows: filters, columns, and what sorting needs to know.
"use strict";

const ANY = "";
const MOST_BYTES = [64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 65536];
const MOST_MS = [1, 2, 5, 10, 20, 50, 100, 200, 500];

const table = {
  rows: [],
  sortedBy: "map",
  direction: "descending",
  columns: new Set(BENCHMARK["index.js"].columns.filter((c) => c.shown).map((c) => c.key)),
  kinds: new Set(),
  shallow: false,
};

const bytesText = (bytes) => (bytes < 1024 ? `${bytes} B` : `${bytes / 1024} KB`);

function prepareTable() {
  const most = (texts) => [[ANY, "any"], ...texts];
  fillSelect(byId("most-bytes"), most(MOST_BYTES.map((n) => [n, `at most ${bytesText(n)}`])), ANY);
  fillSelect(byId("most-ms"), most(MOST_MS.map((n) => [n, `at most ${n}`])), ANY);
  byId("columns").append(
    ...BENCHMARK["index.js"].columns.map((column) =>
      check(column.heading, column.shown, (on) => {
        table.columns[on ? "add" : "delete"](column.key);
        drawTable();
      }, { value: column.key })
    )
  );
  byId("presets").append(
    toggle("Small: at most 1 KB", false, () => limit("most-bytes", 1024), { id: "small" }),
    toggle("Fast: at most 10 ms", false, () => limit("most-ms", 10), { id: "fast" }),
    toggle("Without networks", false, () => {
      table.shallow = !table.shallow;
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
  // The library sorts the largest first; names and costs begin with the smallest.
  byId("table").addEventListener("click", smallestFirst, true);
  byId("table").addEventListener("sort-end", () => {
    const sorted = byId("table").tHead.querySelector("[aria-sort]");
    table.sortedBy = sorted.dataset.key;
    table.direction = sorted.getAttribute("aria-sort");
  });
}

function smallestFirst(event) {
  const heading = event.target.closest("thead th");
  if (heading?.hasAttribute("data-smallest") && !heading.hasAttribute("aria-sort")) {
    heading.setAttribute("aria-sort", "descending");
  }
}

/** Set a limit, or take it off again. */
function limit(id, most) {
  byId(id).value = byId(id).value === String(most) ? ANY : most;
  filterTable();
}

function everything() {
  for (const id of ["most-bytes", "most-ms", "name"]) byId(id).value = ANY;
  table.shallow = false;
  table.kinds.clear();
  drawKinds();
  filterTable();
}

function showTable(data) {
  table.rows = data.rows;
  byId("legend").textContent = data.legend;
  drawKinds();
  drawTable();
}

function drawKinds() {
  const there = new Set(table.rows.map((row) => row.kind));
  const kinds = BENCHMARK["index.js"].kinds.filter((kind) => there.has(kind));
  byId("kinds").replaceChildren(
    make("legend", {}, "Kind"),
    ...kinds.map((kind) =>
      check(kind, table.kinds.has(kind), (on) => {
        table.kinds[on ? "add" : "delete"](kind);
      }, { value: kind })
    )
  );
}

function drawTable() {
  const has = (key) => table.rows.some((row) => row.cells[key]);
  const columns = BENCHMARK["index.js"].columns.filter(
    (column) => table.columns.has(column.key) && has(column.key)
  );
  const heading = (key, text, smallest) =>
    make("th", { scope: "col", "data-key": key, "data-smallest": smallest },
      make("button", { type: "button" }, text));
  const head = make("thead", {}, make("tr", {},
    heading("row", "extractor", true),
    ...columns.map((column) => heading(column.key, column.heading, column.cost))));
  const body = make("tbody", {}, ...table.rows.map((row) => tableRow(row, columns)));
  byId("table").replaceChildren(head, body);
  const sorted = head.querySelector(`[data-key="${table.sortedBy}"]`);
  if (sorted) {
    // A click turns the order round.
    const other = table.direction === "ascending" ? "descending" : "ascending";
    sorted.setAttribute("aria-sort", other);
    sorted.click();
  }
  filterTable();
}

function tableRow(row, columns) {
  const name = make("th", { scope: "row", "data-sort": row.row }, breakable(row.label));
  if (row.kind) name.append(" ", make("span", { class: "kind" }, row.kind));
  if (row.absent) name.append(make("span", { class: "absent" }, row.absent));
  if (row.note) {
    name.append(make("details", { class: "small" }, make("summary", {}, "note"), row.note));
  }
  const cells = columns.map((column) => {
    const [value, text, detail] = row.cells[column.key] ?? ["", "", ""];
    const cell = make("td", { "data-sort": value }, text);
    if (detail) cell.append(make("span", { class: "detail" }, detail));
    if (!column.cost && value !== "") cell.style.setProperty("--share", value);
    return cell;
  });
  const made = make("tr", { "data-row": row.row, class: row.chance ? "chance" : null }, name, ...cells);
  made.shown = row;
  return made;
}

function passes(row) {
  const text = byId("name").value.trim().toLowerCase();
  if (text && !row.label.toLowerCase().includes(text)) return false;
  if (row.chance) return true;
  const atMost = (id, key) =>
    byId(id).value === ANY || (row.cells[key] ?? [Infinity])[0] <= Number(byId(id).value);
  if (!atMost("most-bytes", "bytes_per_image") || !atMost("most-ms", "extraction_ms")) return false;
  if (table.shallow && row.deep) return false;
  return table.kinds.size === 0 || table.kinds.has(row.kind);
}

function filterTable() {
  let shown = 0;
  for (const line of byId("table").tBodies[0]?.rows ?? []) {
    line.hidden = !passes(line.shown);
    shown += !line.hidden && !line.shown.chance;
  }
  const pressed = {
    small: byId("most-bytes").value === "1024",
    fast: byId("most-ms").value === "10",
    shallow: table.shallow,
  };
  for (const [id, on] of Object.entries(pressed)) byId(id).setAttribute("aria-pressed", String(on));
  const all = table.rows.filter((row) => !row.chance);
  const best = all.find((row) => passes(row) && row.cells.map);
  byId("answer").replaceChildren(`${shown} of ${all.length} rows.`);
  if (best) {
    const said = ["bytes_per_image", "extraction_ms"]
      .filter((key) => best.cells[key])
      .map((key) => `${best.cells[key][1]} ${heading(key)}`);
    byId("answer").append(
      " Best by mAP: ", make("strong", {}, best.label), `, ${best.cells.map[1]} (${said.join(", ")}).`
    );
  }
}

const heading = (key) => BENCHMARK["index.js"].columns.find((c) => c.key === key).heading;
