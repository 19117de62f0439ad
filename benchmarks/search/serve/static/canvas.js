// The drawing: strokes by mouse, pen, finger or keys, kept as lines so that they can be undone.
"use strict";

const PAPER = 320, SENT = 384, MARGIN = 0.08, STEP = 8, FINE = 2;

const drawing = { strokes: [], width: 7, isErasing: false, pen: { x: 160, y: 160 }, isDown: false };

/** Listen to the canvas; `changed` is called whenever a stroke ends, or one is taken back. */
function prepareDrawing(canvas, pen, changed) {
  const place = (event) => {
    const { left, top, width } = canvas.getBoundingClientRect();
    return [((event.clientX - left) * PAPER) / width, ((event.clientY - top) * PAPER) / width];
  };
  let pointer = null;
  canvas.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || pointer !== null) return;
    pointer = event.pointerId;
    canvas.setPointerCapture(pointer);
    beginStroke(...place(event));
  });
  canvas.addEventListener("pointermove", (event) => {
    if (event.pointerId !== pointer) return;
    for (const one of event.getCoalescedEvents?.() ?? [event]) extendStroke(...place(one));
  });
  for (const end of ["pointerup", "pointercancel"]) {
    canvas.addEventListener(end, (event) => {
      if (event.pointerId !== pointer) return;
      pointer = null;
      changed();
    });
  }
  canvas.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (drawByKey(event.key, event.shiftKey, changed)) event.preventDefault();
    showPen(pen);
  });
  canvas.addEventListener("focus", () => showPen(pen, canvas.matches(":focus-visible")));
  canvas.addEventListener("blur", () => {
    if (drawing.isDown) changed();
    drawing.isDown = false;
    pen.hidden = true;
  });
  redraw();
}

function drawByKey(key, isFine, changed) {
  const step = isFine ? FINE : STEP, { pen } = drawing;
  const by = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] }[key];
  if (by) {
    [pen.x, pen.y] = [pen.x + by[0], pen.y + by[1]].map((value) => Math.min(PAPER, Math.max(0, value)));
    if (drawing.isDown) extendStroke(pen.x, pen.y);
  } else if (key === " ") {
    drawing.isDown = !drawing.isDown;
    if (drawing.isDown) beginStroke(pen.x, pen.y);
    else changed();
  } else return false;
  return true;
}

function showPen(pen, isShown = true) {
  pen.hidden = !isShown;
  pen.className = drawing.isDown ? "down" : "";
  pen.style.left = `${(100 * drawing.pen.x) / PAPER}%`;
  pen.style.top = `${(100 * drawing.pen.y) / PAPER}%`;
}

function beginStroke(x, y) {
  const { width, isErasing } = drawing;
  drawing.strokes.push({ points: [[x, y]], width: isErasing ? 3 * width : width, isErasing });
  redraw();
}

function extendStroke(x, y) {
  drawing.strokes.at(-1).points.push([x, y]);
  redraw();
}

function undoStroke() {
  drawing.strokes.pop();
  redraw();
}

function clearDrawing() {
  drawing.strokes = [];
  drawing.isDown = false;
  redraw();
}

const isDrawn = () => drawing.strokes.some(({ isErasing }) => !isErasing);

function redraw() {
  const canvas = byId("canvas");
  paint(canvas.getContext("2d"), canvas.width, canvas.width / PAPER, 0, 0);
}

/** Paint all strokes, scaled and moved, on white. */
function paint(context, side, scale, x, y) {
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.fillStyle = "#fff";
  context.fillRect(0, 0, side, side);
  context.setTransform(scale, 0, 0, scale, x, y);
  context.lineCap = context.lineJoin = "round";
  for (const { points, width, isErasing } of drawing.strokes) {
    context.strokeStyle = isErasing ? "#fff" : "#000";
    context.lineWidth = width;
    context.beginPath();
    context.moveTo(...points[0]);
    for (const point of points.length > 1 ? points.slice(1) : points) context.lineTo(...point);
    context.stroke();
  }
}

/** The drawing as a PNG, as it is or so that it fills the frame. */
function drawnPicture(isFitted) {
  const canvas = make("canvas", { width: SENT, height: SENT });
  let [left, top, size] = [0, 0, PAPER];
  if (isFitted) {
    const drawn = drawing.strokes.filter(({ isErasing }) => !isErasing);
    const ends = (axis) => drawn.flatMap(({ points, width }) =>
      points.flatMap((point) => [point[axis] - width / 2, point[axis] + width / 2]));
    const least = (values) => values.reduce((one, other) => Math.min(one, other));
    const most = (values) => values.reduce((one, other) => Math.max(one, other));
    const [xs, ys] = [ends(0), ends(1)];
    size = Math.max(most(xs) - least(xs), most(ys) - least(ys)) / (1 - 2 * MARGIN);
    left = (least(xs) + most(xs) - size) / 2;
    top = (least(ys) + most(ys) - size) / 2;
  }
  const scale = SENT / size;
  paint(canvas.getContext("2d"), SENT, scale, -left * scale, -top * scale);
  return new Promise((done) => canvas.toBlob(done, "image/png"));
}
