// Scatters of atoms.

/** A scatter of atoms: of those of the list `atoms` that have both numbers. */
class Scatter extends Picture {
  constructor(id, { x, y, xName, yName, of, diagonal = false, keep = null, crossed = null }) {
    super();
    Object.assign(this, { id, xName, yName, of, diagonal, crossed });
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
    const isIn = new Uint8Array(count), counts = [0, 0, 0];
    const across = (at.right - at.left) / (x1 - x0), up = (at.bottom - at.top) / (y1 - y0);
    for (let i = 0; i < count; i++) {
      const x = xs[i], y = ys[i];
      px[i] = Math.max(at.left, Math.min(at.right, at.left + (x - x0) * across));
      py[i] = Math.max(at.top, Math.min(at.bottom, at.bottom - (y - y0) * up));
      // Infinite ones stand at the edge; those beyond the view are not drawn.
      if ((x < x0 && x !== -Infinity) || (y < y0 && y !== -Infinity) || (x > x1 && x !== Infinity) || (y > y1 && y !== Infinity)) continue;
      isIn[i] = 1;
      counts[of[atoms[i]]]++;
    }
    if (!count) pen.text("No atom has both numbers.", (at.left + at.right) / 2, (at.top + at.bottom) / 2, "center");
    const chosen = (list) => [px, py].map((of) => Float32Array.from(list, (i) => of[i]));
    CLASSES.slice(0, 3).forEach((name, side) => {
      if (!counts[side]) return;
      const x = new Float32Array(counts[side]), y = new Float32Array(counts[side]);
      for (let i = 0, at = 0; i < count; i++) if (isIn[i] && of[atoms[i]] === side) { x[at] = px[i]; y[at++] = py[i]; }
      pen.dots(x, y, name);
    });
    const seen = (atoms) => atoms.map((atom) => this.placeOf[atom]).filter((i) => isIn[i]);
    if (this.crossed) pen.crosses(...chosen(seen([...atoms].filter((atom) => this.crossed[atom] === 1))));
    for (const [name, list] of [["mark", seen([...marks])], ["now", seen([now.atom])]]) if (list.length) pen.dots(...chosen(list), name);
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
