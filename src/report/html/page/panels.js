// The panels: scatters and the map are drawn, the others are the page's own pictures with buttons.

const panels = [];

async function startPanels() {
  const load = (key) => column(key)?.load();
  const [log, fisher, cmh, fdr, flip] = await Promise.all(["log_or", "neg_log10_p", "cmh_or", "fdr_bh", "sign_flip"].map(load));
  const within = new Float64Array(ATOMS).fill(NaN), least = -Math.log10(0.05), logs = fdr.logs ?? fdr.values.map((p) => -Math.log10(p));
  const isTested = new Uint8Array(ATOMS), isFound = new Uint8Array(ATOMS);
  for (let i = 0; i < ATOMS; i++) {
    const found = logs[i];
    isTested[i] = found === found ? 1 : 0;
    if (found > least) within[i] = Math.log(cmh.values[i]);
    isFound[i] = Math.abs(within[i]) < Infinity ? 1 : 0;
  }
  panels.push(new Scatter("volcano", {
    x: log.values, y: fisher.values, of: sideOf, keep: isTested,
    xName: "log odds ratio: false calls ← → true calls", yName: "−log₁₀ p",
  }));
  panels.push(new Scatter("crude", {
    x: log.values, y: within, of: sideOf, diagonal: true, keep: isFound,
    xName: "log odds ratio on all calls", yName: "log odds ratio within strata", crossed: flip?.values,
  }));
  watchers.push(() => panels.forEach((panel) => panel.draw()));
  for (const [id, rows] of Object.entries(tablesOfPictures)) {
    const place = byId(`p-${id}`);
    if (place) buttons(place, id, () => withColours(place.querySelector(".static svg")), rows);
  }
  if (about.map && byId("p-map")) panels.push(new Heat(byId("p-map"), about.map, await inflated("map")));
  else byId("p-map")?.remove();
}

/** The picture of both parts of a cohort, whose columns come with the rest of the page. */
async function startReplication() {
  if (!column("replication.replicated") || !byId("p-replication")) return;
  const names = ["discovery_cmh_log_or", "confirmation_cmh_log_or", "replicated"];
  const [x, y, replicated] = await Promise.all(names.map((name) => column(`replication.${name}`).load()));
  const of = Uint8Array.from(replicated.values, (is, i) => (is === 1 ? (x.values[i] < 0 ? 2 : 1) : 0));
  const keep = Uint8Array.from(x.values, (value, i) => (Number.isFinite(value) && Number.isFinite(y.values[i]) ? 1 : 0));
  panels.push(new Scatter("replication", {
    x: x.values, y: y.values, of, diagonal: true, keep,
    xName: "log odds ratio, discovery", yName: "log odds ratio, confirmation",
  }));
}

const tablesOfPictures = {
  support: async () => {
    const fires = (await column("fires").load()).values, counts = [];
    for (const n of fires) { const bin = n ? 1 + Math.floor(Math.log2(n)) : 0; counts[bin] = (counts[bin] ?? 0) + 1; }
    return [["calls, from", "to", "atoms"], ...counts.map((n, bin) => (bin ? [2 ** (bin - 1), 2 ** bin - 1, n ?? 0] : [0, 0, n ?? 0])).filter(Boolean)];
  },
  types: () => [["SV type", "true calls", "false calls"], ...(about.types ?? sums(0))],
  sizes: () => [["size in base pairs, from", "true calls", "false calls"], ...about.sizes],
  regions: () => rowsOf("regions"),
  prediction: () => rowsOf("prediction"),
  chromosomes: () => [["chromosome", "true calls", "false calls"], ...(about.chromosomes ?? about.of_chromosomes)],
};

/** A table that is not of atoms: heads that say what they mean, and rows. */
async function rowsOf(name) {
  const { table: of, list } = otherTables.find((each) => each.table.name === name);
  await Promise.all(list.map((each) => each.load()));
  const cell = (each, row) => (/^atom(_[ab])?$/.test(each.name) ? atomLink(each.values[row]) : each.text(row));
  const rows = Array.from({ length: of.rows }, (_, row) => list.map((each) => cell(each, row)));
  return [list.map((each) => make("abbr", { title: each.about, tabindex: 0 }, each.name)), ...rows];
}

/** Calls by one property of their strata. */
function sums(property) {
  const all = new Map();
  for (const stratum of about.strata) {
    const sum = all.get(stratum[property]) ?? [0, 0];
    all.set(stratum[property], [sum[0] + stratum[3], sum[1] + stratum[4]]);
  }
  return [...all].map(([name, [tp, fp]]) => [name ?? "all", tp, fp]);
}

/** The map of atoms that fire together. */
class Heat extends Picture {
  constructor(figure, atoms, bytes) {
    super();
    // Percent plus 100, row by row.
    Object.assign(this, { figure, atoms, bytes });
    const canvas = make("canvas", { class: "square", tabindex: 0, role: "img", "aria-label": `Correlation of the firing of ${atoms.length} atoms, in the order of their groups. Arrow keys move, Enter opens an atom.` });
    figure.querySelector(".static").after(canvas);
    figure.classList.add("live");
    canvas.after(make("p", { class: "hint" }, "Blue: they fire on the same calls, the stronger the colour the more. Orange: where one fires, the other hardly does. No colour: φ is about 0. The edges have the colours of the calls to which atoms lean."));
    buttons(figure, "map", () => { const pen = new SvgPen(640, 640); this.paint(pen, 640); return pen.svg; }, () => this.rows());
    this.at = [0, 0];
    this.watch(canvas);
    const where = (event) => { const cell = canvas.clientWidth / atoms.length; return [event.offsetX, event.offsetY].map((v) => Math.max(0, Math.min(atoms.length - 1, Math.floor(v / cell)))); };
    canvas.addEventListener("pointermove", (event) => this.tell(event, where(event)));
    canvas.addEventListener("pointerleave", () => tip.hide());
    canvas.addEventListener("click", (event) => { const [i, j] = where(event); setMarks([atoms[i], atoms[j]]); openAtom(atoms[j]); });
    canvas.addEventListener("keydown", (event) => {
      const move = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
      if (move) this.at = this.at.map((v, i) => Math.max(0, Math.min(atoms.length - 1, v + move[i])));
      else if (event.key === "Enter") openAtom(atoms[this.at[1]]);
      else return;
      event.preventDefault();
      const box = this.canvas.getBoundingClientRect(), cell = box.width / atoms.length;
      this.tell({ clientX: box.left + this.at[0] * cell, clientY: box.top + this.at[1] * cell }, this.at);
    });
  }
  /** The correlation of two atoms by their places, in percent. */
  phi(j, i) { return this.bytes[j * this.atoms.length + i] - 100; }
  tell(event, [i, j]) {
    const { atoms } = this;
    tip.show(event, `atoms ${atomName(atoms[j])} and ${atomName(atoms[i])}\nφ ${(this.phi(j, i) / 100).toFixed(2)}`);
  }
  paint(pen, size) {
    const { atoms } = this, cell = size / atoms.length;
    pen.cells(this.colours(), atoms.length, size);
    atoms.forEach((atom, i) => {
      const name = atom === now.atom ? "now" : marks.has(atom) ? "mark" : CLASSES[sideOf[atom]];
      pen.rect(i * cell, 0, cell, Math.max(3, cell / 2), name);
      pen.rect(0, i * cell, Math.max(3, cell / 2), cell, name);
    });
  }
  /** Red, green and blue of every cell, row by row. */
  colours() {
    const paper = rgb(colour("paper")), warm = rgb(colour("heat")), cold = rgb(colour("cold"));
    return Array.from(this.bytes, (byte) => {
      const share = Math.min(1, Math.sqrt(Math.abs(byte - 100) / 100)), to = byte > 100 ? warm : cold;
      return paper.map((c, i) => Math.round(c + share * (to[i] - c)));
    });
  }
  rows() {
    const { atoms } = this, out = [];
    for (let j = 0; j < atoms.length; j++) for (let i = j + 1; i < atoms.length; i++) if (this.phi(j, i)) out.push([this.phi(j, i) / 100, atoms[j], atoms[i]]);
    out.sort((a, b) => b[0] - a[0]);
    return [["atom", "atom", "φ"], ...out.map(([value, a, b]) => [atomLink(a), atomLink(b), value.toFixed(2)])];
  }
}

/** The tables that are not of atoms, read when they are opened. */
function startTables() {
  const place = byId("app-tables");
  if (!otherTables.length) return;
  place.append(make("h2", {}, "More tables"));
  for (const { table: of } of otherTables) {
    const body = make("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": of.name });
    const details = make("details", {}, make("summary", {}, `${of.name} (${of.rows} row${of.rows === 1 ? "" : "s"})`), make("p", {}, of.about), body);
    details.addEventListener("toggle", async () => {
      if (!details.open || body.childElementCount) return;
      body.append(plainTable(await rowsOf(of.name)));
    });
    place.append(details);
  }
}
