// Pictures, drawn alike on a canvas and as SVG.

const SVG = "http://www.w3.org/2000/svg";

/** An element with attributes and children; texts stay texts. */
function make(tag, attributes = {}, ...children) {
  const isSvg = make.svg.has(tag);
  const element = isSvg ? document.createElementNS(SVG, tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}
make.svg = new Set(["svg", "path", "rect", "text", "g", "line", "circle", "desc"]);

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
const CLASSES = ["none", "tp", "fp", "mark", "now"];

/** Draws on a canvas. */
class CanvasPen {
  constructor(context) { this.context = context; this.colours = {}; }
  colour(name) { return (this.colours[name] ??= colour(name)); }
  line(x, y, to, down, name) {
    const c = this.context;
    c.strokeStyle = this.colour(name); c.lineWidth = 1;
    c.beginPath(); c.moveTo(x, y); c.lineTo(to, down); c.stroke();
  }
  rect(x, y, width, height, name) {
    this.context.fillStyle = name.startsWith("rgb") ? name : this.colour(name);
    this.context.fillRect(x, y, width, height);
  }
  text(text, x, y, align = "left", turned = false) {
    const c = this.context;
    c.fillStyle = this.colour("ink"); c.font = "12px system-ui, sans-serif"; c.textAlign = align;
    if (!turned) { c.fillText(text, x, y); return; }
    c.save(); c.translate(x, y); c.rotate(-Math.PI / 2); c.fillText(text, 0, 0); c.restore();
  }
  /** Points of a class: round ones for true calls, squares for false ones, rings for marked ones. */
  dots(xs, ys, name) {
    const c = this.context, round = name === "tp", size = name === "none" ? 2 : 4;
    c.fillStyle = c.strokeStyle = this.colour(name);
    if (name === "mark" || name === "now") {
      c.lineWidth = 2;
      for (let i = 0; i < xs.length; i++) { c.beginPath(); c.arc(xs[i], ys[i], name === "now" ? 8 : 5, 0, 7); c.stroke(); }
      return;
    }
    c.globalAlpha = name === "none" ? 0.55 : 0.85;
    if (name === "none") this.cloud(xs, ys);
    else if (!round) for (let i = 0; i < xs.length; i++) c.fillRect(xs[i] - size / 2, ys[i] - size / 2, size, size);
    else {
      c.beginPath();
      for (let i = 0; i < xs.length; i++) { c.moveTo(xs[i] + 2.2, ys[i]); c.arc(xs[i], ys[i], 2.2, 0, 7); }
      c.fill();
    }
    c.globalAlpha = 1;
  }
  /** A square of `count` by `count` cells of these colours. */
  cells(colours, count, size) {
    const picture = make("canvas", { width: count, height: count }), context = picture.getContext("2d");
    const image = context.createImageData(count, count);
    colours.forEach((rgb, i) => image.data.set([...rgb, 255], 4 * i));
    context.putImageData(image, 0, 0);
    this.context.imageSmoothingEnabled = false;
    this.context.drawImage(picture, 0, 0, size, size);
  }
  /** Many points of one colour, as one picture: where they fall on one place, one is drawn. */
  cloud(xs, ys) {
    const { canvas } = this.context, { a: ratio } = this.context.getTransform();
    const picture = make("canvas", { width: canvas.width, height: canvas.height }), context = picture.getContext("2d");
    const image = context.createImageData(canvas.width, canvas.height), pixels = new Uint32Array(image.data.buffer);
    const [red, green, blue] = rgb(this.colour("none"));
    const ink = ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0, size = Math.round(2 * ratio), { width, height } = canvas;
    for (let i = 0; i < xs.length; i++) {
      const left = Math.round(ratio * xs[i] - ratio), top = Math.round(ratio * ys[i] - ratio);
      if (left < 0 || top < 0 || left + size > width || top + size > height) continue;
      for (let down = 0; down < size; down++) pixels.fill(ink, (top + down) * width + left, (top + down) * width + left + size);
    }
    context.putImageData(image, 0, 0);
    this.context.drawImage(picture, 0, 0, width / ratio, height / ratio);
  }
}

/** Writes SVG. */
class SvgPen {
  constructor(width, height) {
    this.svg = make("svg", { viewBox: `0 0 ${width} ${height}`, width, height, "font-family": "sans-serif", "font-size": 12 });
    this.rect(0, 0, width, height, "paper");
  }
  add(tag, attributes, ...children) { this.svg.append(make(tag, attributes, ...children)); }
  line(x1, y1, x2, y2, name) { this.add("line", { x1, y1, x2, y2, stroke: colour(name) }); }
  rect(x, y, width, height, name) { this.add("rect", { x, y, width, height, fill: name.startsWith("rgb") ? name : colour(name) }); }
  text(text, x, y, align = "left", turned = false) {
    const anchor = { left: "start", right: "end", center: "middle" }[align];
    this.add("text", { fill: colour("ink"), "text-anchor": anchor, ...(turned ? { transform: `translate(${x} ${y}) rotate(-90)` } : { x, y }) }, text);
  }
  cells(colours, count, size) {
    const cell = size / count, paper = String(rgb(colour("paper")));
    colours.forEach((rgb, i) => { if (String(rgb) !== paper) this.rect((i % count) * cell, Math.floor(i / count) * cell, cell + 0.3, cell + 0.3, `rgb(${rgb})`); });
  }
  dots(xs, ys, name) {
    const places = new Set();
    for (let i = 0; i < xs.length; i++) places.add(`M${xs[i].toFixed(1)} ${ys[i].toFixed(1)}h0`);
    const ring = name === "mark" || name === "now";
    this.add("path", {
      d: [...places].join(""), stroke: colour(name), "stroke-width": ring ? 9 : name === "none" ? 2 : 4, fill: "none",
      "stroke-linecap": name === "tp" || ring ? "round" : "square", "stroke-opacity": ring ? 0.5 : 0.85,
    });
  }
}

/** Red, green and blue of a colour of the style. */
function rgb(text) {
  const hex = text.replace("#", "");
  return [0, 2, 4].map((at) => parseInt(hex.slice(at, at + 2), 16));
}

/** Round numbers between two. */
function ticks(low, high, about = 6) {
  const rough = (high - low) / about || 1, power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((s) => s * power).find((s) => s >= rough);
  const out = [];
  for (let at = Math.ceil(low / step); at <= Math.floor(high / step); at++) out.push(Number((at * step).toPrecision(12)));
  return out;
}

function save(name, content, type) {
  const url = content instanceof Blob || typeof content === "string" && !content.startsWith("data:")
    ? URL.createObjectURL(content instanceof Blob ? content : new Blob([content], { type })) : content;
  const link = make("a", { href: url, download: name });
  document.body.append(link); link.click(); link.remove();
  if (url.startsWith("blob:")) setTimeout(() => URL.revokeObjectURL(url), 10000);
}

const svgText = (svg) => '<?xml version="1.0" encoding="UTF-8"?>\n' + new XMLSerializer().serializeToString(svg);

/** The page's own SVG with its colours written into it. */
function withColours(svg) {
  const copy = svg.cloneNode(true);
  const from = [svg, ...svg.querySelectorAll("*")], to = [copy, ...copy.querySelectorAll("*")];
  from.forEach((element, i) => {
    const style = getComputedStyle(element);
    for (const name of ["fill", "stroke", "stroke-width", "stroke-linecap", "font-size", "font-family", "opacity"]) {
      const value = style.getPropertyValue(name);
      if (value) to[i].setAttribute(name, value);
    }
  });
  const box = svg.viewBox.baseVal;
  copy.setAttribute("width", box.width); copy.setAttribute("height", box.height);
  copy.prepend(make("rect", { width: box.width, height: box.height, fill: colour("paper") }));
  return copy;
}

async function savePng(name, svg) {
  const image = new Image();
  image.src = "data:image/svg+xml;charset=utf-8," + encodeURIComponent(svgText(svg));
  await image.decode();
  const canvas = make("canvas", { width: 2 * image.naturalWidth, height: 2 * image.naturalHeight });
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
  save(name, canvas.toDataURL("image/png"));
}

/** Buttons to save a picture, and to see it as a table. */
function buttons(figureElement, name, svg, rows) {
  const place = make("div", { class: "table-of scroll", hidden: true, tabindex: 0, role: "region", "aria-label": `${name} as a table` });
  const toggle = make("button", { type: "button", "aria-expanded": "false", onclick: async () => {
    place.hidden = !place.hidden;
    toggle.setAttribute("aria-expanded", String(!place.hidden));
    if (!place.hidden) place.replaceChildren(plainTable(await rows()));
  } }, "Show as table");
  const bar = make("div", { class: "buttons" }, toggle,
    make("button", { type: "button", onclick: () => save(`${name}.svg`, svgText(svg()), "image/svg+xml"), "aria-label": `Save ${name} as SVG` }, "SVG"),
    make("button", { type: "button", onclick: () => savePng(`${name}.png`, svg()), "aria-label": `Save ${name} as PNG` }, "PNG"));
  figureElement.append(bar, place);
  return bar;
}

/** A table of a header and rows of texts; at most 1,000 rows, and a line says so. */
function plainTable([header, ...rows]) {
  const cut = rows.length - 1000;
  const cells = (tag, row) => make("tr", {}, ...row.map((cell) => (cell instanceof Node ? make(tag, {}, cell) : make(tag, { dir: "auto" }, shown(cell)))));
  return make("table", {}, make("thead", {}, cells("th", header)), make("tbody", {}, ...rows.slice(0, 1000).map((row) => cells("td", row)), rows.length ? null : make("tr", {}, make("td", { colspan: header.length }, "none"))),
    cut > 0 ? make("caption", {}, `the first 1,000 of ${rows.length} rows; the table of atoms has them all`) : null);
}

/** A picture on a canvas, drawn when it comes into sight, and again when its size or what it shows has changed. */
class Picture {
  /** `canvas` is in the page; a subclass has `render(context, width, height)`. */
  watch(canvas) {
    Object.assign(this, { canvas, isStale: true, isSeen: false, width: 0 });
    new ResizeObserver(([{ contentRect }]) => {
      if (contentRect.width === this.width || !contentRect.width) return;
      this.width = contentRect.width;
      this.draw();
    }).observe(canvas);
    new IntersectionObserver(([entry]) => {
      this.isSeen = entry.isIntersecting;
      if (this.isSeen && this.isStale) this.render();
    }, { rootMargin: "300px" }).observe(canvas);
  }
  /** Draws it now if it can be seen, else when it will be. */
  draw() {
    this.isStale = true;
    if (this.isSeen) this.render();
  }
  render() {
    const width = this.canvas.clientWidth || 520, height = this.canvas.clientHeight || 340, ratio = window.devicePixelRatio || 1;
    this.canvas.width = Math.round(width * ratio); this.canvas.height = Math.round(height * ratio);
    const context = this.canvas.getContext("2d");
    context.scale(ratio, ratio);
    this.drawn = this.paint(new CanvasPen(context), width, height);
    this.isStale = false;
  }
}

/** A scatter of atoms: of those of the list `atoms` that have both numbers. */
class Scatter extends Picture {
  constructor(id, { x, y, xName, yName, of, diagonal = false, keep = null }) {
    super();
    Object.assign(this, { id, xName, yName, of, diagonal });
    this.figure = byId(`p-${id}`);
    const atoms = new Uint32Array(ATOMS), xs = new Float64Array(ATOMS), ys = new Float64Array(ATOMS);
    this.placeOf = new Int32Array(ATOMS).fill(-1);
    let count = 0;
    for (let i = 0; i < ATOMS; i++) {
      const a = x[i], b = y[i];
      if (a !== a || b !== b || (keep && !keep[i])) continue;
      atoms[count] = i; xs[count] = a; ys[count] = b;
      this.placeOf[i] = count++;
    }
    this.atoms = atoms.subarray(0, count); this.x = xs.subarray(0, count); this.y = ys.subarray(0, count);
    this.home = [extent(this.x), extent(this.y)];
    this.view = this.home;
    const canvas = make("canvas", { tabindex: 0, role: "img", "aria-label": `${this.figure.querySelector("h3").textContent}: ${count} atoms. Arrow keys move, plus and minus zoom, 0 shows all.` });
    this.figure.querySelector(".static").after(canvas);
    this.figure.classList.add("live");
    const bar = buttons(this.figure, id, () => this.svg(), () => this.rows());
    this.mode = make("select", { "aria-label": "Dragging a box" }, make("option", { value: "mark" }, "drag to mark"), make("option", { value: "zoom" }, "drag to zoom"));
    bar.prepend(this.mode, make("button", { type: "button", onclick: () => this.look(this.home) }, "All"));
    this.watch(canvas);
    this.listen();
  }
  look(view) { this.view = view; this.draw(); }
  size() { return [this.canvas.clientWidth || 520, this.canvas.clientHeight || 340]; }
  /** Where points were drawn last; of a picture that is out of date, where they will be. */
  places() { if (this.isStale) this.render(); return this.drawn; }
  place(width, height) {
    const [[x0, x1], [y0, y1]] = this.view, left = 56, right = 12, top = 10, bottom = 42;
    const clamp = (t) => Math.max(0, Math.min(1, t));
    return {
      left, right: width - right, top, bottom: height - bottom,
      x: (v) => left + clamp((v - x0) / (x1 - x0)) * (width - left - right),
      y: (v) => height - bottom - clamp((v - y0) / (y1 - y0)) * (height - top - bottom),
      atX: (px) => x0 + ((px - left) / (width - left - right)) * (x1 - x0),
      atY: (py) => y0 + ((height - bottom - py) / (height - top - bottom)) * (y1 - y0),
    };
  }
  paint(pen, width, height) {
    const at = this.place(width, height), [[x0, x1], [y0, y1]] = this.view;
    for (const t of ticks(x0, x1)) { pen.line(at.x(t), at.top, at.x(t), at.bottom, "grid"); pen.text(figure(t), at.x(t), at.bottom + 16, "center"); }
    for (const t of ticks(y0, y1, 5)) { pen.line(at.left, at.y(t), at.right, at.y(t), "grid"); pen.text(figure(t), at.left - 6, at.y(t) + 4, "right"); }
    if (x0 < 0 && x1 > 0) pen.line(at.x(0), at.top, at.x(0), at.bottom, "axis");
    if (this.diagonal) {
      if (y0 < 0 && y1 > 0) pen.line(at.left, at.y(0), at.right, at.y(0), "axis");
      const low = Math.max(x0, y0), high = Math.min(x1, y1);
      if (low < high) pen.line(at.x(low), at.y(low), at.x(high), at.y(high), "axis");
    }
    pen.text(this.xName, (at.left + at.right) / 2, height - 8, "center");
    pen.text(this.yName, 14, (at.top + at.bottom) / 2, "center", true);
    const { atoms, x: xs, y: ys, of } = this, count = atoms.length, px = new Float32Array(count), py = new Float32Array(count);
    const isIn = new Uint8Array(count);
    const across = (at.right - at.left) / (x1 - x0), up = (at.bottom - at.top) / (y1 - y0);
    const groups = CLASSES.map(() => []);
    for (let i = 0; i < count; i++) {
      const x = xs[i], y = ys[i];
      px[i] = Math.max(at.left, Math.min(at.right, at.left + (x - x0) * across));
      py[i] = Math.max(at.top, Math.min(at.bottom, at.bottom - (y - y0) * up));
      // Infinite ones stand at the edge; those beyond the view are not drawn.
      if ((x < x0 && x !== -Infinity) || (y < y0 && y !== -Infinity) || (x > x1 && x !== Infinity) || (y > y1 && y !== Infinity)) continue;
      isIn[i] = 1;
      groups[of[atoms[i]]].push(i);
    }
    for (const atom of marks) if (isIn[this.placeOf[atom]]) groups[3].push(this.placeOf[atom]);
    if (isIn[this.placeOf[now.atom]]) groups[4].push(this.placeOf[now.atom]);
    groups.forEach((group, i) => { if (group.length) pen.dots(Float32Array.from(group, (j) => px[j]), Float32Array.from(group, (j) => py[j]), CLASSES[i]); });
    this.named(px, py).forEach((i) => {
      const isRight = px[i] > (at.left + at.right) / 2;
      pen.text(atomName(this.atoms[i]).slice(0, 24), px[i] + (isRight ? -7 : 7), py[i] + 4, isRight ? "right" : "left");
    });
    return { px, py };
  }
  /** The points that are named: the open and the marked atoms, then the strongest; none on another's name. */
  named(px, py) {
    if (!this.strongest) {
      this.strongest = [];
      for (let i = 0; i < this.atoms.length; i++) if (this.of[this.atoms[i]]) this.strongest.push(i);
      this.strongest.sort((a, b) => this.y[b] - this.y[a]);
    }
    const [[x0, x1], [y0, y1]] = this.view;
    const special = (marks.size < 40 ? [now.atom, ...marks] : [now.atom]).map((atom) => this.placeOf[atom] ?? -1).filter((i) => i >= 0);
    const out = [];
    for (const i of [...special, ...this.strongest.slice(0, 8), ...this.strongest.slice(-4)]) {
      const isSeen = this.x[i] >= x0 && this.x[i] <= x1 && this.y[i] >= y0 && this.y[i] <= y1;
      if (isSeen && out.every((j) => Math.abs(py[i] - py[j]) > 13 || Math.abs(px[i] - px[j]) > 80)) out.push(i);
    }
    return out;
  }
  svg() { const pen = new SvgPen(640, 420); this.paint(pen, 640, 420); return pen.svg; }
  rows() {
    const order = [...this.atoms.keys()].sort((a, b) => this.y[b] - this.y[a]);
    return [["atom", this.xName, this.yName], ...order.map((i) => [atomLink(this.atoms[i]), figure(this.x[i]), figure(this.y[i])])];
  }
  nearest(px, py) {
    const places = this.places();
    let best = -1, least = 100;
    for (let i = 0; i < this.atoms.length; i++) {
      const distance = (places.px[i] - px) ** 2 + (places.py[i] - py) ** 2;
      if (distance < least) { least = distance; best = i; }
    }
    return best;
  }
  listen() {
    const canvas = this.canvas;
    let from = null;
    const box = make("div", { class: "box", hidden: true });
    canvas.after(box);
    const where = (event) => [event.offsetX, event.offsetY];
    canvas.addEventListener("pointerdown", (event) => { from = where(event); canvas.setPointerCapture(event.pointerId); });
    canvas.addEventListener("pointermove", (event) => {
      const [x, y] = where(event);
      if (from && Math.hypot(x - from[0], y - from[1]) > 5) {
        box.hidden = false;
        box.style.left = `${canvas.offsetLeft + Math.min(x, from[0])}px`; box.style.top = `${canvas.offsetTop + Math.min(y, from[1])}px`;
        box.style.width = `${Math.abs(x - from[0])}px`; box.style.height = `${Math.abs(y - from[1])}px`;
        return;
      }
      const i = this.nearest(x, y);
      if (i < 0) tip.hide();
      else tip.show(event, `atom ${atomName(this.atoms[i])}\n${this.xName}: ${figure(this.x[i])}\n${this.yName}: ${figure(this.y[i])}`);
    });
    canvas.addEventListener("pointerleave", () => tip.hide());
    canvas.addEventListener("pointerup", (event) => {
      const to = where(event), was = from;
      from = null;
      if (!was) return;
      if (box.hidden) { const i = this.nearest(...to); if (i >= 0) openAtom(this.atoms[i]); return; }
      box.hidden = true;
      const [x0, x1] = [Math.min(was[0], to[0]), Math.max(was[0], to[0])], [y0, y1] = [Math.min(was[1], to[1]), Math.max(was[1], to[1])];
      if (this.mode.value === "zoom") {
        const at = this.place(...this.size());
        this.look([[at.atX(x0), at.atX(x1)], [at.atY(y1), at.atY(y0)]]);
        return;
      }
      const { px, py } = this.places();
      const inside = [...this.atoms].filter((_, i) => px[i] >= x0 && px[i] <= x1 && py[i] >= y0 && py[i] <= y1);
      setMarks(event.shiftKey ? [...marks, ...inside] : inside);
    });
    canvas.addEventListener("keydown", (event) => {
      const move = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
      const [[x0, x1], [y0, y1]] = this.view, zoom = { "+": 0.8, "=": 0.8, "-": 1.25 }[event.key];
      if (move) this.look([[x0, x1].map((v) => v + 0.1 * move[0] * (x1 - x0)), [y0, y1].map((v) => v + 0.1 * move[1] * (y1 - y0))]);
      else if (zoom) this.look([[x0, x1], [y0, y1]].map(([low, high]) => [(low + high) / 2 - (zoom * (high - low)) / 2, (low + high) / 2 + (zoom * (high - low)) / 2]));
      else if (event.key === "0") this.look(this.home);
      else return;
      event.preventDefault();
    });
  }
}

function extent(values) {
  let low = Infinity, high = -Infinity;
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (value < low && value !== -Infinity) low = value;
    if (value > high && value !== Infinity) high = value;
  }
  if (low > high) return [0, 1];
  const room = (high - low) * 0.04 || 0.5;
  return [low - room, high + room];
}

const tip = {
  element: make("div", { id: "tip", hidden: true, "aria-hidden": "true" }),
  show(event, text) {
    const tip = this.element;
    tip.textContent = text; tip.hidden = false;
    tip.style.left = `${Math.min(event.clientX + 12, innerWidth - tip.offsetWidth - 8)}px`;
    tip.style.top = `${Math.min(event.clientY + 12, innerHeight - tip.offsetHeight - 8)}px`;
  },
  hide() { this.element.hidden = true; },
};
