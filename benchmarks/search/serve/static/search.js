// The search page: what is asked, by which methods, and what they find.
"use strict";

const API = "api/v1/";
const NONE = "";

const page = {
  status: null, // what the server last said of itself
  methods: [], // names, offered to be shown
  shown: new Set(),
  query: null, // {picture} that the server knows, or {blob, name, address} that is sent
  past: [],
  marks: new Map(), // content hash to "right" or "wrong"
  answers: [],
  asking: null, // aborts the request that is under way
  offset: 0,
};

/** Ask the server; an error is what it says. */
async function fetched(path, options) {
  let response;
  try {
    response = await fetch(API + path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Error("The server does not answer; it may have ended, or the picture is too large.");
  }
  const content = await response.json();
  if (!response.ok) throw new Error(content.error);
  return content;
}

function trouble(text) {
  byId("trouble").textContent = text;
  byId("trouble").hidden = text === "";
}

/** Ask for the state of the indexes, again and again while they are built. */
async function follow() {
  for (let before = null; before === null || before.building; before = page.status) {
    if (before) await new Promise((done) => setTimeout(done, 700));
    try {
      page.status = await fetched("status");
    } catch (error) {
      trouble(error.message);
      return;
    }
    drawStatus();
    if (before && isAsBefore(before)) continue;
    offer(page.status.shown);
    drawCombination();
    await drawSets();
    if (page.query) search();
  }
}

/** Whether no index came or changed. */
function isAsBefore(before) {
  const known = ({ methods, gallery, building }) => JSON.stringify([methods, gallery, building === null]);
  return known(before) === known(page.status);
}

function drawStatus() {
  const { gallery, building, methods } = page.status;
  byId("about").textContent = gallery ? `${gallery.size.toLocaleString("en")} pictures in ${gallery.name}` : "";
  byId("licence").textContent = gallery?.licence ? `Pictures of ${gallery.name}: ${gallery.licence}.` : "";
  byId("building").hidden = building === null;
  if (building) {
    const ready = methods.filter((method) => method.ready).map(({ name }) => name);
    const count = building.total ? `, ${building.done} of ${building.total}` : "";
    byId("step").textContent = `The index is being built: ${building.label}${count}. ` +
      (ready.length ? `Ready: ${ready.join(", ")}.` : "");
    if (building.total) {
      byId("progress").max = building.total;
      byId("progress").value = building.done;
    } else byId("progress").removeAttribute("value");
  }
  const failed = methods.filter((method) => method.error).map((method) => method.error);
  if (failed.length) trouble(failed.join(" "));
}

/** Offer methods, and show them. */
function offer(names) {
  for (const name of names) {
    if (page.methods.includes(name)) continue;
    page.methods.push(name);
    page.shown.add(name);
  }
  byId("offered").replaceChildren(make("legend", {}, "Methods"), ...page.methods.map((name) =>
    check(name, page.shown.has(name), (on) => {
      page.shown[on ? "add" : "delete"](name);
      search();
    }, { value: name })));
}

function drawCombination() {
  const { methods, fusions, rerankings } = page.status;
  const ready = methods.filter((method) => method.ready).map(({ name }) => name);
  const chosen = new Set(members());
  byId("members").replaceChildren(make("legend", {}, "Of"),
    ...ready.map((name) => check(name, chosen.size ? chosen.has(name) : true, () => {}, { value: name })));
  const named = (names) => names.map((name) => [name, name]);
  fillSelect(byId("fusion"), named(fusions), byId("fusion").value || fusions[0]);
  fillSelect(byId("reranking"), [[NONE, "nothing"], ...named(rerankings)], byId("reranking").value);
}

const members = () => [...byId("members").querySelectorAll("input:checked")].map(({ value }) => value);

function combine(event) {
  event.preventDefault();
  const parts = members(), reranking = byId("reranking").value;
  if (parts.length === 0) return trouble("Choose what is fused or re-ranked.");
  if (parts.length === 1 && reranking === NONE) return trouble("One alone is not fused; choose more, or a re-ranking.");
  if (parts.length > 1) {
    if (parts.some((part) => part.includes("+"))) return trouble("What is fused already is not fused again.");
    parts.push(byId("fusion").value);
  }
  if (reranking !== NONE) parts.push(reranking);
  trouble("");
  page.shown.add(parts.join("+"));
  offer([parts.join("+")]);
  search();
}

async function drawSets() {
  const { gallery } = page.status;
  if (gallery === null) return;
  const names = Object.keys(gallery.sets);
  const text = (name) => `${name === "gallery" ? "the gallery" : name} (${gallery.sets[name].toLocaleString("en")})`;
  const before = byId("set").value;
  fillSelect(byId("set"), names.map((name) => [name, text(name)]), names.includes(before) ? before : names.at(-1));
  await drawSamples(byId("set").value === before ? page.offset : 0);
}

/** Show some pictures of the chosen set, from a place in it on. */
async function drawSamples(offset) {
  const name = byId("set").value, size = page.status.gallery.sets[name], limit = 24;
  page.offset = offset < size ? offset : 0;
  try {
    const found = await fetched(`pictures?${new URLSearchParams({ set: name, offset: page.offset, limit })}`);
    byId("samples").replaceChildren(...found.pictures.map((picture) =>
      make("li", {}, pick(picture))));
  } catch (error) {
    trouble(error.message);
  }
}

/** A jump that comes by all pictures of a set, and by other classes each time. */
const elsewhere = () => {
  const size = page.status.gallery.sets[byId("set").value];
  return (page.offset + Math.max(24, Math.floor(size * 0.618))) % size;
};

/** A picture as a button that asks with it. */
const pick = (picture) =>
  make("button", { type: "button", class: "pick", "data-picture": picture.sha256,
    "aria-label": `Search with ${picture.id}`, click: () => ask({ picture }) },
    thumbnail(picture.id, `${picture.sha256}.webp`));

/** Ask something new. */
function ask(query, isBack = false) {
  if (!isBack && page.query) page.past.push(page.query);
  byId("back").disabled = page.past.length === 0;
  page.query = query;
  page.marks.clear();
  search();
}

function askFile(file) {
  if (!file) return;
  const { limits } = page.status ?? {};
  if (limits && file.size > limits.bytes) {
    trouble(`${file.name}: larger than ${Math.floor(limits.bytes / 2 ** 20)} MiB`);
    return;
  }
  ask({ blob: file, name: file.name, address: URL.createObjectURL(file) });
}

async function askDrawing() {
  if (!isDrawn()) return;
  const blob = await drawnPicture(byId("fit").checked);
  const query = { blob, name: "your drawing", address: URL.createObjectURL(blob), isDrawing: true };
  ask(query, page.query?.isDrawing ?? false); // what a drawing was before is no step to go back to
}

/** Search with the present query by the methods shown. */
async function search() {
  page.asking?.abort();
  drawQuery();
  drawFeedback();
  const names = page.methods.filter((name) => page.shown.has(name));
  if (!page.query || names.length === 0) {
    page.answers = [];
    drawAnswers();
    return;
  }
  const asked = new URLSearchParams({ k: byId("k").value });
  for (const name of names) asked.append("method", name);
  for (const [sha256, mark] of page.marks) asked.append(mark, sha256);
  const { picture, blob } = page.query;
  if (picture) asked.append("picture", picture.sha256);
  const asking = (page.asking = new AbortController());
  byId("lines").classList.add("busy");
  try {
    const post = picture ? {} : { method: "POST", body: blob };
    const found = await fetched(`search?${asked}`, { ...post, signal: asking.signal });
    page.answers = found.answers;
    page.query.known = found.query.known;
    trouble("");
  } catch (error) {
    if (asking.signal.aborted) return;
    page.answers = [];
    trouble(error.message);
  }
  byId("lines").classList.remove("busy");
  drawQuery();
  drawAnswers();
}

function drawQuery() {
  const { query } = page;
  if (!query) return byId("shown-query").replaceChildren();
  const known = query.picture ?? query.known, name = known?.id ?? query.name;
  const shown = query.picture ? thumbnail(name, `${known.sha256}.webp`) : shownPicture(name, query.address);
  const label = known ? nameOf(known.id, known.label, known.distractor) : query.name;
  byId("shown-query").replaceChildren(make("figure", { class: "query" }, shown,
    make("figcaption", {}, make("strong", {}, label), make("span", { class: "muted" }, known ? known.id : ""))));
}

function drawFeedback() {
  const count = (wanted) => [...page.marks.values()].filter((mark) => mark === wanted).length;
  byId("feedback").hidden = page.marks.size === 0;
  byId("marked").textContent = `${count("right")} marked right, ${count("wrong")} wrong`;
}

function drawAnswers() {
  byId("lines").replaceChildren(...page.answers.map(answered));
}

function answered({ method, neighbours, error, describe_ms, search_ms }) {
  const judged = neighbours.filter(({ right }) => right !== null);
  const right = judged.filter((one) => one.right).length;
  const said = error
    ? [make("span", { class: "notice" }, error)]
    : [judged.length ? make("span", { class: "muted" }, ` ${right} of ${judged.length} right`) : "",
      make("span", { class: "muted time" }, ` ${describe_ms.toFixed(1)} + ${search_ms.toFixed(1)} ms`)];
  if (!error) said.at(-1).title = "describing the picture, and searching";
  return line({ name: method, label: method, family: null }, said, neighbours.map(neighbour));
}

function neighbour(found) {
  const { sha256, id, label, distractor, distance, right } = found;
  const mark = right === null ? "unjudged" : right ? "right" : distractor !== null ? "distractor" : "wrong";
  const name = nameOf(id, label, distractor);
  const toggles = [["right", "+", "more like"], ["wrong", "−", "less like"]].map(([kind, sign, words]) =>
    toggle(sign, page.marks.get(sha256) === kind, () => setMark(sha256, kind),
      { "aria-label": `${words} ${name}`, title: `${words} this`, "data-mark": kind, "data-of": sha256 }));
  return make("li", { class: mark }, pick(found), caption(name, mark),
    make("div", { class: "under" }, make("span", { title: "distance" }, distance.toFixed(3)),
      make("div", {}, ...toggles)));
}

/** Mark a picture as right or wrong, wherever it stands; the same mark again takes it off. */
function setMark(sha256, kind) {
  if (page.marks.get(sha256) === kind) page.marks.delete(sha256);
  else page.marks.set(sha256, kind);
  for (const button of byId("lines").querySelectorAll(`[data-of="${sha256}"]`)) {
    button.setAttribute("aria-pressed", String(page.marks.get(sha256) === button.dataset.mark));
  }
  drawFeedback();
}

function prepareDrop() {
  const { classList } = document.documentElement;
  const hasFiles = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
  window.addEventListener("dragover", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    classList.add("dropping");
  });
  window.addEventListener("dragleave", (event) => {
    if (event.relatedTarget === null) classList.remove("dropping");
  });
  window.addEventListener("drop", (event) => {
    classList.remove("dropping");
    if (!hasFiles(event)) return;
    event.preventDefault();
    askFile(event.dataTransfer.files[0]);
  });
  window.addEventListener("paste", (event) => askFile(event.clipboardData?.files[0]));
  byId("file").addEventListener("change", () => {
    askFile(byId("file").files[0]);
    byId("file").value = ""; // so that the same file can be chosen again
  });
}

function prepare() {
  prepareDrop();
  prepareDrawing(byId("canvas"), byId("pen"), askDrawing);
  fillSelect(byId("width"), [[3, "thin"], [7, "medium"], [14, "thick"]], 7);
  fillSelect(byId("k"), [10, 20, 50, 100].map((k) => [k, k]), 10);
  byId("marks").append(...legend());
  const click = (id, work) => byId(id).addEventListener("click", work);
  click("undo", () => { undoStroke(); askDrawing(); });
  click("clear", clearDrawing);
  click("eraser", () => {
    drawing.isErasing = !drawing.isErasing;
    byId("eraser").setAttribute("aria-pressed", String(drawing.isErasing));
  });
  click("back", () => ask(page.past.pop(), true));
  click("others", () => drawSamples(elsewhere()));
  click("again", search);
  click("forget", () => { page.marks.clear(); search(); });
  byId("width").addEventListener("change", () => { drawing.width = Number(byId("width").value); });
  byId("fit").addEventListener("change", askDrawing);
  byId("k").addEventListener("change", search);
  byId("set").addEventListener("change", () => drawSamples(0));
  byId("combination").addEventListener("submit", combine);
  follow();
}

prepare();
