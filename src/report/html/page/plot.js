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
make.svg = new Set(["svg", "path", "rect", "text", "g", "line", "circle", "desc", "title"]);

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
  /** Crosses over points. */
  crosses(xs, ys) {
    const c = this.context;
    c.strokeStyle = this.colour("ink"); c.lineWidth = 1.5;
    c.beginPath();
    for (let i = 0; i < xs.length; i++) { c.moveTo(xs[i] - 4, ys[i] - 4); c.lineTo(xs[i] + 4, ys[i] + 4); c.moveTo(xs[i] - 4, ys[i] + 4); c.lineTo(xs[i] + 4, ys[i] - 4); }
    c.stroke();
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
      for (let row = top * width + left, last = row + size * width; row < last; row += width) for (let at = row; at < row + size; at++) pixels[at] = ink;
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
  crosses(xs, ys) {
    const at = Array.from(xs, (x, i) => `M${(x - 4).toFixed(1)} ${(ys[i] - 4).toFixed(1)}l8 8m0 -8l-8 8`);
    this.add("path", { d: at.join(""), stroke: colour("ink"), "stroke-width": 1.5, fill: "none" });
  }
  cells(colours, count, size) {
    const cell = size / count, paper = String(rgb(colour("paper")));
    colours.forEach((rgb, i) => { if (String(rgb) !== paper) this.rect((i % count) * cell, Math.floor(i / count) * cell, cell + 0.3, cell + 0.3, `rgb(${rgb})`); });
  }
  dots(xs, ys, name) {
    const places = new Set(), ring = name === "mark" || name === "now";
    // A square without a length has no direction: PDF does not show it.
    const length = name === "tp" || ring ? "h0" : "h.1";
    for (let i = 0; i < xs.length; i++) places.add(`M${xs[i].toFixed(1)} ${ys[i].toFixed(1)}${length}`);
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

/** A term that says what it means when it is opened, in the words of the page's list. */
function term(text, word) {
  const meaning = byId(`word-${word}`)?.nextElementSibling?.textContent;
  return meaning ? make("details", { class: "term" }, make("summary", { title: "What is this?" }, text), make("p", {}, meaning)) : text;
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
      const width = Math.round(contentRect.width);
      if (width === this.width || !width) return;
      this.width = width;
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
    const width = (this.width ||= this.canvas.clientWidth || 520), height = this.canvas.clientHeight || 340, ratio = window.devicePixelRatio || 1;
    this.canvas.width = Math.round(width * ratio); this.canvas.height = Math.round(height * ratio);
    const context = this.canvas.getContext("2d");
    context.scale(ratio, ratio);
    this.drawn = this.paint(new CanvasPen(context), width, height);
    this.isStale = false;
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
