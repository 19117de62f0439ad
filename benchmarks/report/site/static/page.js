// What is chosen stands in the address (#dataset/query set/query), so that it can be passed on.
"use strict";

const page = { dataset: null, set: null, sets: [] };
const loading = new Map();
const { datasets } = BENCHMARK["index.js"];

/** Load a data file, once. */
function load(name) {
  if (!loading.has(name)) {
    loading.set(name, new Promise((done, failed) => {
      const script = make("script", { src: `data/${name}` });
      script.addEventListener("load", () => done(BENCHMARK[name]));
      script.addEventListener("error", () => {
        loading.delete(name);
        failed(new Error(`data/${name} is not there: build the page again`));
      });
      document.head.append(script);
    }));
  }
  return loading.get(name);
}

const written = (text) => text.split("/").map(encodeURIComponent).join("/");

function read(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return ""; // no address of ours
  }
}

/** Choose: the address says what, and `follow` does it. */
function go(dataset, set, query) {
  const id = explorer.data?.queries[query]?.[0];
  const same = page.dataset?.name === dataset && page.set?.name === set;
  let hash = `#${encodeURIComponent(dataset)}/${encodeURIComponent(set)}`;
  if (query !== undefined) hash += same && id ? `/${written(id)}` : `/${query + 1}`;
  location.replace(hash);
}

/** Show what the address says. */
async function follow() {
  const [dataset, set, ...rest] = location.hash.slice(1).split("/").map(read);
  const chosen = datasets.find((one) => one.name === dataset) ?? datasets[0];
  const sets = chosen.querySets;
  const current = sets.find((one) => one.name === set) ?? sets[0];
  const isNew = chosen !== page.dataset || current !== page.set;
  Object.assign(page, { dataset: chosen, set: current, sets });
  try {
    if (isNew) await show();
    if (current === page.set && explorer.data) showQuery(numbered(rest.join("/")));
  } catch (error) {
    byId("trouble").textContent = error.message;
    byId("trouble").hidden = false;
  }
}

/** A query's number, from its name or its place counted from 1; else the first. */
function numbered(text) {
  const { queries } = explorer.data;
  const named = queries.findIndex(([id]) => id === text);
  const place = named >= 0 ? named : Number(text || 1) - 1;
  return Number.isInteger(place) && place >= 0 && place < queries.length ? place : 0;
}

async function show() {
  const { dataset, set } = page;
  explorer.data = null;
  drawHeader();
  drawPlots();
  const data = await load(`${set.files}-table.js`);
  if (set !== page.set) return;
  showTable(data);
  const found = await load(`${set.files}-neighbours.js`);
  if (set !== page.set) return;
  setExplorer(found, data.methods);
  byId("trouble").hidden = true;
  document.title = `${dataset.name}, ${set.title} – Image-retrieval benchmark`;
}

function drawHeader() {
  const { dataset, set, sets } = page;
  byId("dataset").value = dataset.name;
  byId("query-sets").replaceChildren(
    ...sets.map((other) => toggle(other.title, other === set, () => go(dataset.name, other.name),
      { "data-set": other.name, title: other.name }))
  );
  byId("about").textContent = `${set.counts} Split: ${dataset.split}.`;
  byId("licence").textContent = `Pictures of ${dataset.name}: ${dataset.licence}.`;
  byId("lacking").hidden = dataset.lacking === 0;
  byId("lacking").textContent =
    `${dataset.lacking} of ${dataset.pictures} pictures were not there when this page was made, so ` +
    `names stand for them. Add them with: python -m benchmarks.report --html ${dataset.remedy}`;
}

function drawPlots() {
  const { dataset, set } = page;
  const plots = dataset.plots.filter(
    ({ querySet }) => querySet === null || querySet === set.name
  );
  byId("plots").replaceChildren(
    ...plots.map(({ file, caption }) =>
      make("figure", {},
        make("a", { href: file }, make("img", { src: file, alt: caption, loading: "lazy" })),
        make("figcaption", {}, caption)))
  );
  if (plots.length === 0) byId("plots").textContent = "None.";
}

prepareTable();
prepareExplorer();
fillSelect(byId("dataset"), datasets.map(({ name }) => [name, name]), "");
byId("dataset").addEventListener("change", () => {
  const chosen = datasets.find(({ name }) => name === byId("dataset").value);
  const like = chosen.querySets.find(({ name }) => name === page.set.name) ?? chosen.querySets[0];
  go(chosen.name, like.name);
});
for (const button of document.querySelectorAll("[data-to]")) {
  button.addEventListener("click", () => {
    byId(button.dataset.to).scrollIntoView();
    byId(button.dataset.to).focus({ preventScroll: true });
  });
}
window.addEventListener("hashchange", follow);
follow();
