// Neighbours and their marks, as the explorer and the search page show them.
"use strict";

const MARKS = {
  right: ["○", "right"],
  wrong: ["✕", "wrong"],
  distractor: ["◆", "wrong: a distractor, of no class that a query is of"],
  unjudged: ["", "not judged"],
};

/** What the marks mean. */
const legend = () => Object.entries(MARKS).map(([name, [mark, meaning]]) =>
  make("span", { class: `sample ${name}` }, `${mark} ${meaning}`.trim()));

/** The name of a picture: its class, or that of its file. */
const nameOf = (id, label, distractor) => label ?? (distractor || id.split("/").at(-1));

/** A mark with a picture's name. */
function caption(name, mark) {
  const [sign, meaning] = MARKS[mark];
  return make("span", { class: "caption", title: `${name}: ${meaning}` },
    make("span", { class: "mark", role: "img", "aria-label": meaning }, sign), " ", name);
}

/** A method's name and family, and its neighbours in a row. */
function line({ name, label, family }, said, items) {
  return make("div", { class: "line", "data-method": name, role: "group", "aria-label": label },
    make("div", { class: "who" }, make("strong", {}, breakable(label)), " ",
      family ? make("span", { class: "family" }, family) : "", ...said),
    make("ol", { class: "neighbours" }, ...items));
}
