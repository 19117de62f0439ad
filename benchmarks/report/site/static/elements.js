// Elements, made from text and attributes only: no name of a picture is ever read as HTML.
"use strict";

const byId = (id) => document.getElementById(id);

/** An element with attributes (functions are listeners, false and null are left out). */
function make(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") made.addEventListener(name, value);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value !== null) made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child !== null && child !== ""));
  return made;
}

/** A method's name, broken before a + rather than elsewhere. */
const breakable = (text) =>
  make("span", { class: "name" }, ...text.split(/(?=\+)/).map((part) => make("span", {}, part)));

/** A button that is pressed or not. */
const toggle = (text, pressed, click, more = {}) =>
  make("button", { type: "button", "aria-pressed": String(pressed), click, ...more }, text);

/** A checkbox with its label. */
function check(text, checked, change, more = {}) {
  const box = make("input", { type: "checkbox", ...more });
  box.checked = checked;
  box.addEventListener("input", () => change(box.checked));
  return make("label", { class: "check" }, box, breakable(text));
}

/** Fill a select with [value, text] pairs. */
function fillSelect(select, pairs, chosen) {
  select.replaceChildren(...pairs.map(([value, text]) => make("option", { value }, text)));
  select.value = chosen;
}

/** A thumbnail, or a blank with the picture's name where there is none. */
const thumbnail = (name, file) => shownPicture(name, file === null ? null : `thumbnails/${file}`);

/** A picture by its address, or a blank with its name where it cannot be shown. */
function shownPicture(name, address) {
  const blank = () => make("span", { class: "blank", title: name }, name.split("/").at(-1));
  if (address === null) return blank();
  const image = make("img", { alt: name, title: name, loading: "lazy", decoding: "async" });
  image.addEventListener("error", () => image.replaceWith(blank()));
  image.src = address;
  return image;
}
