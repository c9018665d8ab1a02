// The table of all atoms: what can be seen is drawn, the rest is numbers.

const now = { atom: -1 };
const marks = new Set();
const watchers = [];
/** Marks these atoms everywhere. */
function setMarks(atoms) {
  marks.clear();
  for (const atom of atoms) if (Number.isInteger(atom) && atom >= 0 && atom < ATOMS) marks.add(atom);
  changed();
}
function toggleMark(atom) { marks.has(atom) ? marks.delete(atom) : marks.add(atom); changed(); }
let isWaiting = false;
/** Tells all that show atoms, once a frame. */
function changed() {
  if (isWaiting) return;
  isWaiting = true;
  requestAnimationFrame(() => { isWaiting = false; for (const watch of watchers) watch(); });
}
const atomLink = (atom) => make("a", { href: `#atom=${atom}` }, atomName(atom));

const ROW = 28;
const DEFAULTS = ["atom", "fires", "tp_on", "fp_on", "precision", "log_or", "neg_log10_p", "fdr_bh", "cmh_or", "cmh_p", "cmh_fdr_bh", "maxt_p", "claims"];

const table = {
  chosen: [], order: new Uint32Array(0), sortKey: "rank", isDown: false, text: "", ranges: new Map(), active: 0, onlyMarked: false,

  async start() {
    const claims = { key: "claims", name: "claims", about: "The strictest procedure that claims the atom: within strata, or else on all calls.", kind: "claims", isText: true, table: {}, values: claimOf, load: async () => claims, text: (row) => claimText(row) };
    columns.set("claims", claims);
    if (labels.size) columns.set("name", { key: "name", name: "name", about: "The name that was given to the atom.", kind: "t", isText: true, table: {}, values: { length: ATOMS }, load: async () => {}, text: (row) => shown(labels.get(row) ?? "") });
    const wanted = [...(labels.size ? ["name"] : []), ...DEFAULTS].filter((key) => columns.has(key));
    wanted.sort((a, b) => (b === "atom") - (a === "atom"));
    this.chosen = remembered("columns")?.filter((key) => columns.has(key)) ?? wanted;
    if (labels.size && !this.chosen.includes("name")) this.chosen.splice(this.chosen.indexOf("atom") + 1, 0, "name");
    await Promise.all([...this.chosen, "rank"].map((key) => column(key).load()));
    this.build();
    await this.refresh();
    watchers.push(() => this.draw());
  },

  build() {
    const place = byId("app-table");
    this.query = make("input", { id: "query", type: "search", placeholder: "log_or > 1 cmh_fdr_bh < 0.05", "aria-label": "Filter atoms: text, numbers of atoms, or conditions such as log_or > 1", autocomplete: "off", spellcheck: "false" });
    this.query.addEventListener("input", () => { this.text = this.query.value; this.refresh(); });
    this.status = make("p", { id: "count", role: "status", "aria-live": "polite" });
    this.problem = make("p", { class: "problem", role: "alert" });
    this.chips = make("div", { class: "tools", role: "group", "aria-label": "Ranges that hold" });
    const list = make("textarea", { rows: 1, placeholder: "883, 12, 20-29", "aria-label": "Numbers of atoms to mark" });
    const only = make("input", { type: "checkbox", id: "only-marked", onchange: () => { this.onlyMarked = only.checked; this.refresh(); } });
    place.append(
      make("p", { class: "hint" }, "Filter by text or by conditions on columns. Click a title to sort, a row to open its card; keys: / to filter, arrows to move, Enter to open, Space to mark."),
      make("div", { class: "tools" }, make("label", { for: "query" }, "Filter"), this.query, this.rangeTool(),
        make("button", { type: "button", onclick: () => this.export() }, "Save as TSV"), this.chooser()),
      make("div", { class: "tools" }, make("label", {}, "Mark atoms ", list),
        make("button", { type: "button", onclick: () => setMarks(numbersIn(list.value)) }, "Mark"),
        make("button", { type: "button", onclick: () => setMarks(this.order) }, "Mark all that are listed"),
        make("button", { type: "button", onclick: () => setMarks([]) }, "Clear marks"),
        make("label", { for: "only-marked" }, only, " only marked ones")),
      this.chips, this.problem, this.status);
    this.head = make("div", { class: "head", role: "row" });
    this.body = make("div", { class: "body", role: "rowgroup" });
    this.grid = make("div", { id: "grid", class: "grid", role: "grid", tabindex: 0, "aria-label": "Atoms" }, make("div", { class: "heads", role: "rowgroup" }, this.head), this.body);
    place.append(this.grid);
    // As the style has it. Asking the page would have it laid out before all is in it.
    Object.assign(this, { height: Math.min(640, 0.75 * innerHeight), top: 0 });
    new ResizeObserver(([{ contentRect }]) => {
      if (Math.abs(contentRect.height - this.height) < ROW || !contentRect.height) return;
      this.height = contentRect.height;
      this.draw();
    }).observe(this.grid);
    this.grid.addEventListener("scroll", () => {
      this.top = this.grid.scrollTop;
      if (!this.isDrawing) { this.isDrawing = true; requestAnimationFrame(() => { this.isDrawing = false; this.draw(); }); }
    });
    this.grid.addEventListener("keydown", (event) => this.key(event));
    this.body.addEventListener("click", (event) => {
      const row = event.target.closest("[data-atom]");
      if (!row) return;
      this.active = Number(row.dataset.at);
      if (event.ctrlKey || event.metaKey || event.target.matches("input")) toggleMark(Number(row.dataset.atom));
      else openAtom(Number(row.dataset.atom));
    });
    place.append(this.meanings());
    this.heads();
    this.closing(place);
  },

  /** Boxes close by Escape, and by a click outside. */
  closing(place) {
    const close = (except) => { for (const box of place.querySelectorAll("details.range[open]")) if (!box.contains(except)) box.open = false; };
    addEventListener("pointerdown", (event) => close(event.target));
    place.addEventListener("keydown", (event) => {
      const box = event.key === "Escape" && event.target.closest("details.range[open]");
      if (!box) return;
      box.open = false;
      box.querySelector("summary").focus();
    });
  },

  /** What the columns that are shown mean. */
  meanings() {
    const list = make("dl", {});
    this.tellMeanings = () => { if (list.parentNode.open) list.replaceChildren(...this.chosen.map(column).flatMap((each) => [make("dt", {}, each.key), make("dd", {}, each.about)])); };
    return make("details", { id: "meanings", ontoggle: this.tellMeanings }, make("summary", {}, "What the columns mean"), list);
  },

  rangeTool() {
    const select = make("select", { "aria-label": "Column of the range" });
    const fill = () => {
      if (select.length) return;
      select.append(...[...columns.values()].filter((each) => !each.isText).map((each) => make("option", { value: each.key }, each.key)));
      select.value = "log_or";
    };
    const low = make("input", { type: "number", step: "any", "aria-label": "From" }), high = make("input", { type: "number", step: "any", "aria-label": "To" });
    const slide = [0, 1000].map((value, i) => make("input", { type: "range", min: 0, max: 1000, value, "aria-label": i ? "Upper end" : "Lower end" }));
    const set = () => {
      const ends = [low, high].map((input, i) => (input.value === "" ? (i ? Infinity : -Infinity) : Number(input.value)));
      if (low.value === "" && high.value === "") this.ranges.delete(select.value);
      else this.ranges.set(select.value, ends);
      this.refresh();
    };
    const typed = async () => { await column(select.value).load(); set(); };
    low.addEventListener("change", typed); high.addEventListener("change", typed);
    slide.forEach((input, i) => input.addEventListener("input", async () => {
      const [least, most] = extent((await column(select.value).load()).values ?? column(select.value).values);
      [low, high][i].value = Number(input.value) === 1000 * i ? "" : Number((least + (Number(input.value) / 1000) * (most - least)).toPrecision(4));
      set();
    }));
    // The fields say what holds for the column that is chosen.
    const tell = () => {
      const ends = this.ranges.get(select.value) ?? [-Infinity, Infinity];
      [low, high].forEach((input, i) => { input.value = Number.isFinite(ends[i]) ? ends[i] : ""; });
      slide.forEach((input, i) => { input.value = 1000 * i; });
    };
    select.addEventListener("change", tell);
    this.tellRanges = () => {
      this.chips.replaceChildren(...[...this.ranges].map(([key, [from, to]]) => make("button", { type: "button", "aria-label": `Remove the range of ${key}`, onclick: () => { this.ranges.delete(key); tell(); this.refresh(); } },
        `${key} ${Number.isFinite(from) ? `from ${from} ` : ""}${Number.isFinite(to) ? `to ${to} ` : ""}×`)));
    };
    return make("details", { class: "range", ontoggle: fill }, make("summary", {}, "Range"), make("div", { class: "pop" }, select, " from ", low, " to ", high, slide[0], slide[1],
      make("button", { type: "button", onclick: () => { this.ranges.clear(); tell(); this.refresh(); } }, "Clear ranges")));
  },

  chooser() {
    const box = (each) => make("label", { title: each.about }, make("input", { type: "checkbox", value: each.key, checked: this.chosen.includes(each.key), onchange: (event) => this.choose(each.key, event.target.checked) }), ` ${each.key}`);
    const place = make("div", { class: "pop columns" });
    const fill = () => { if (!place.childElementCount) place.append(...[...columns.values()].map(box)); };
    return make("details", { class: "range", ontoggle: fill }, make("summary", {}, "Columns"), place);
  },

  async choose(key, isChosen) {
    this.chosen = isChosen ? [...this.chosen, key] : this.chosen.filter((other) => other !== key);
    remember("columns", this.chosen);
    await column(key).load();
    this.heads();
    this.draw();
  },

  heads() {
    const cell = (key) => {
      const each = column(key), isSorted = this.sortKey === key;
      return make("div", { role: "columnheader", "aria-sort": isSorted ? (this.isDown ? "descending" : "ascending") : "none" },
        make("button", { type: "button", title: each.about, onclick: () => this.sort(key) }, key, isSorted ? (this.isDown ? " ▼" : " ▲") : ""));
    };
    this.head.replaceChildren(make("div", { role: "columnheader", class: "tick" }, make("span", { class: "hidden" }, "marked")), ...this.chosen.map(cell));
    const least = (key) => ({ claims: 17, name: 14, atom: 6 })[key] ?? (/^(u|x)$/.test(column(key).kind) && !/log|risk|precision|chi2/.test(key) ? 4.8 : 6.9);
    const widths = this.chosen.map((key) => `${Math.max(least(key), key.length * 0.6 + 1.6)}em`);
    const template = `2.2em ${widths.join(" ")}`;
    this.grid.style.setProperty("--columns", template);
    this.rows = [];
    this.body.replaceChildren();
    this.grid.setAttribute("aria-colcount", this.chosen.length + 1);
    this.tellMeanings();
  },

  async sort(key) {
    this.isDown = this.sortKey === key ? !this.isDown : !/(^atom$|_p$|midp$|fdr|holm|storey_q|^rank$|claims|name)/.test(key) || key.endsWith("log10_p");
    this.sortKey = key;
    await column(key).load();
    this.heads();
    await this.refresh();
  },

  /** Filters and sorts. */
  async refresh() {
    const { conditions, words, problem } = parse(this.text);
    this.problem.textContent = problem;
    this.tellRanges();
    for (const [key, [low, high]] of this.ranges) conditions.push([key, (x) => x >= low && x <= high]);
    await Promise.all(conditions.map(([key]) => column(key).load()));
    const tests = conditions.map(([key, test]) => [column(key).values, test]);
    const kept = new Uint32Array(ATOMS);
    let count = 0;
    const isFiltered = this.onlyMarked || tests.length > 0 || words.length > 0;
    const searched = words.length ? this.chosen.map(column).filter((each) => each.isText) : [];
    for (let atom = 0; atom < ATOMS; atom++) {
      if (!isFiltered) { kept[count++] = atom; continue; }
      if (this.onlyMarked && !marks.has(atom)) continue;
      if (!tests.every(([values, test]) => test(values[atom]))) continue;
      if (words.length && !words.every((word) => `${atom}`.includes(word) || (labels.get(atom) ?? "").toLowerCase().includes(word) || searched.some((each) => (each.key === "claims" ? allClaims(atom) : each.text(atom)).toLowerCase().includes(word)))) continue;
      kept[count++] = atom;
    }
    this.order = this.sorted(kept.subarray(0, count));
    this.status.textContent = `${count} of ${ATOMS} atoms`;
    this.body.style.height = `${Math.max(1, count) * ROW}px`;
    this.grid.setAttribute("aria-rowcount", count + 1);
    this.active = Math.min(this.active, Math.max(0, count - 1));
    this.draw();
  },

  sorted(atoms) {
    const each = column(this.sortKey);
    if (this.sortKey === "atom") return this.isDown ? atoms.reverse() : atoms;
    if (each.kind === "t") return atoms.sort((a, b) => (this.isDown ? -1 : 1) * each.text(a).localeCompare(each.text(b)) || a - b);
    if (each.kind === "r" && !this.isDown) {
      // Ranks are places.
      const ranks = each.values, places = new Int32Array(ATOMS + 1).fill(-1), last = [];
      for (let i = 0; i < atoms.length; i++) if (ranks[atoms[i]] > 0) places[ranks[atoms[i]]] = atoms[i]; else last.push(atoms[i]);
      let at = 0;
      for (let rank = 0; rank <= ATOMS; rank++) if (places[rank] >= 0) atoms[at++] = places[rank];
      atoms.set(last, at);
      return atoms;
    }
    // Of p-values the logarithms tell more.
    const values = each.logs ?? each.values, sign = this.isDown === !each.logs ? -1 : 1;
    // Missing values come last, whatever the direction.
    return atoms.sort((a, b) => {
      const x = values[a], y = values[b];
      if (x === y) return a - b;
      if (x !== x) return y !== y ? a - b : 1;
      if (y !== y) return -1;
      return x < y ? -sign : sign;
    });
  },

  draw() {
    if (!this.grid) return;
    const { height, top } = this;
    const first = Math.max(0, Math.floor(top / ROW) - 2), last = Math.min(this.order.length, Math.ceil((top + height) / ROW) + 2);
    while (this.rows.length < last - first) {
      const tick = make("input", { type: "checkbox", tabindex: -1, "aria-label": "marked" });
      const cells = this.chosen.map((key) => make("div", { role: "gridcell", class: column(key).isText ? "text" : "number", dir: "auto" }));
      const row = make("div", { class: "row", role: "row" }, make("div", { role: "gridcell", class: "tick" }, tick), ...cells);
      this.rows.push({ row, tick, cells });
      this.body.append(row);
    }
    this.rows.forEach((each, i) => {
      const at = first + i;
      each.row.hidden = at >= last;
      if (at >= last) return;
      const atom = this.order[at];
      each.row.style.top = `${at * ROW}px`;
      each.row.dataset.atom = atom; each.row.dataset.at = at;
      each.row.id = `row-${i}`;
      each.row.setAttribute("aria-rowindex", at + 2);
      each.row.setAttribute("aria-selected", String(marks.has(atom)));
      each.row.className = `row ${CLASSES[sideOf[atom]]}${marks.has(atom) ? " marked" : ""}${atom === now.atom ? " open" : ""}${at === this.active ? " active" : ""}`;
      each.tick.checked = marks.has(atom);
      this.chosen.forEach((key, c) => { each.cells[c].textContent = key === "atom" ? String(atom) : column(key).text(atom); });
      if (at === this.active) this.grid.setAttribute("aria-activedescendant", each.row.id);
    });
  },

  key(event) {
    if (event.target !== this.grid) return;
    const page = Math.max(1, Math.floor(this.grid.clientHeight / ROW) - 2);
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -Infinity, End: Infinity }[event.key];
    if (step !== undefined) {
      this.active = Math.max(0, Math.min(this.order.length - 1, this.active + step));
      const top = this.active * ROW, from = this.grid.scrollTop, height = this.grid.clientHeight - 2 * ROW;
      if (top < from) this.grid.scrollTop = top;
      else if (top > from + height) this.grid.scrollTop = top - height;
      this.draw();
    } else if (event.key === "Enter") openAtom(this.order[this.active]);
    else if (event.key === " ") toggleMark(this.order[this.active]);
    else return;
    event.preventDefault();
  },

  export() {
    const rows = [this.chosen.join("\t")];
    const cell = (text) => text.replace(/[\t\r\n]/g, " ");
    for (const atom of this.order) rows.push(this.chosen.map((key) => (key === "atom" ? atom : cell(column(key).text(atom)))).join("\t"));
    save("atoms.tsv", rows.join("\n") + "\n", "text/tab-separated-values");
  },
};

/** Conditions such as log_or > 1, and what is left as words. */
function parse(typed) {
  const conditions = [];
  let problem = "";
  const text = typed.replace(/≥/g, ">=").replace(/≤/g, "<=").replace(/≠/g, "!=").replace(/(\d),(?=\d{3}\b)/g, "$1");
  const rest = text.replace(/([a-z_][a-z_0-9.]*)\s*(<=|>=|!=|=|<|>)\s*(-?(?:inf|(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)|NA|yes|no)(?=$|[\s,&])/gi, (all, key, sign, value) => {
    const each = column(key);
    if (!each || each.isText) { problem = `There is no column of numbers named ${key}.`; return ""; }
    const limit = { yes: 1, no: 0, na: NaN, inf: Infinity, "-inf": -Infinity }[value.toLowerCase()] ?? Number(value);
    const test = { "<": (x) => x < limit, ">": (x) => x > limit, "<=": (x) => x <= limit, ">=": (x) => x >= limit, "=": (x) => Object.is(x, limit) || x === limit, "!=": (x) => x === x && x !== limit }[sign];
    conditions.push([key, test]);
    return "";
  });
  const words = rest.toLowerCase().split(/[\s,&]+|\band\b/).filter(Boolean);
  if (!problem && conditions.length && words.includes("or")) problem = "All conditions must hold: \"or\" is not known here.";
  if (!problem && words.some((word) => /[<>=]/.test(word))) problem = "A condition is a column, a sign and a number, as in log_or > 1.";
  return { conditions, words: words.filter((word) => !/[<>=]/.test(word) && !(conditions.length && word === "or")), problem };
}

/** Numbers of atoms in a text, with ranges such as 20-29. */
function numbersIn(text) {
  const atoms = [];
  for (const [, from, to] of text.matchAll(/(\d+)(?:\s*-\s*(\d+))?/g)) {
    for (let atom = Number(from); atom <= Math.min(ATOMS - 1, Number(to ?? from)); atom++) atoms.push(atom);
  }
  return atoms;
}

/** What the browser keeps for next time, where it lets pages keep anything. */
function remembered(name) { try { return JSON.parse(localStorage.getItem(`atomscope ${name}`)); } catch { return null; } }
function remember(name, value) { try { localStorage.setItem(`atomscope ${name}`, JSON.stringify(value)); } catch { /* a page in a sandbox */ } }
