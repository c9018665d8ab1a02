"use strict";
// The data of the page: typed columns and cards, inflated when they are asked for.

const byId = (id) => document.getElementById(id);
const about = JSON.parse(byId("about").textContent);
const ATOMS = about.atoms;
const Z = 1.959963984540054;

/** Islands that were inflated together with others, by name. */
const pieces = new Map();

const DIGITS = "!#%()*+,./0123456789:;=?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[]^_abcdefghijklmnopqrstuvwxyz{|}~";
const digitOf = new Uint8Array(128);
for (let digit = 0; digit < 85; digit++) digitOf[DIGITS.charCodeAt(digit)] = digit;

/** Bytes of letters: four of each five, which are digits to the base 85; of the last ones one less than letters. */
function bytesOf(text) {
  const length = text.length, bytes = new Uint8Array(4 * Math.ceil(length / 5));
  const digit = (at) => (at < length ? digitOf[text.charCodeAt(at)] : 84);
  for (let at = 0, to = 0; at < length; at += 5, to += 4) {
    const number = (((digit(at) * 85 + digit(at + 1)) * 85 + digit(at + 2)) * 85 + digit(at + 3)) * 85 + digit(at + 4);
    bytes[to] = number >>> 24; bytes[to + 1] = number >>> 16; bytes[to + 2] = number >>> 8; bytes[to + 3] = number;
  }
  return bytes.subarray(0, bytes.length - ((5 - (length % 5)) % 5));
}

/** Bytes of an island. Those behind the script are there once the browser has read so far. */
async function inflated(id) {
  if (pieces.has(id)) return pieces.get(id);
  // While the page is read, an element may be there without its end.
  const isWhole = (island) => island && (island.nextSibling || document.readyState !== "loading");
  if (!isWhole(byId(id))) await pageThere();
  const island = byId(id);
  if (!island) throw new Error(`the page has no ${id}: it was cut`);
  const bytes = bytesOf(island.textContent);
  const stream = new DecompressionStream("deflate"), writer = stream.writable.getWriter();
  const whole = new Response(stream.readable).arrayBuffer();
  // What fails there fails in the reader too.
  for (const done of [writer.write(bytes), writer.close()]) done.catch(() => {});
  return new Uint8Array(await whole);
}

/** What table and pictures begin with stands in one island. */
async function readFirst() {
  const bytes = await inflated("first");
  let from = 0;
  for (const [id, length] of about.first) pieces.set(id, bytes.subarray(from, (from += length)));
}

/** Whole numbers of `width` bytes whose first bytes come first, then the second ones, and so on. */
function whole(bytes, width, from, count) {
  if (width === 1) return bytes.subarray(from, from + count);
  const [first, second, third, fourth] = [0, 1, 2, 3].map((place) => bytes.subarray(from + place * count, from + (place + 1) * count));
  if (width === 2) {
    const out = new Uint16Array(count);
    for (let i = 0; i < count; i++) out[i] = first[i] | (second[i] << 8);
    return out;
  }
  const out = new Uint32Array(count);
  for (let i = 0; i < count; i++) out[i] = first[i] | (second[i] << 8) | (third[i] << 16) | (fourth[i] << 24);
  return out;
}

/** Several arrays after one another. */
function sections(bytes, at) {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const number = view.getUint32(at, true);
  let from = at + 4 + 8 * number;
  const arrays = [];
  for (let i = 0; i < number; i++) {
    const width = view.getUint32(at + 4 + 8 * i, true);
    const count = view.getUint32(at + 8 + 8 * i, true);
    arrays.push(whole(bytes, width, from, count));
    from += width * count;
  }
  return { arrays, end: from };
}

/** Numbers of -log10 p, from four digits of p and its power of ten; those of an island once, however many columns tell them. */
async function logs(id, width) {
  if (!logs.of.has(id)) logs.of.set(id, inflated(id).then((bytes) => logsOfDigits(whole(bytes, width, 0, bytes.length / width))));
  return logs.of.get(id);
}
logs.of = new Map();
function logsOfDigits(codes) {
  const top = 2 ** 32 - 1, logs = new Float64Array(9001);
  for (let digits = 1000; digits <= 10000; digits++) logs[digits - 1000] = 3 - Math.log10(digits);
  const out = new Float64Array(codes.length);
  for (let i = 0; i < out.length; i++) {
    const code = codes[i], power = Math.ceil(code / 9000);
    out[i] = code < top - 1 ? power + logs[9000 * power - code] : code === top ? NaN : Infinity;
  }
  return out;
}

const decoders = {
  u: (bytes, c) => new Float64Array(whole(bytes, c.w, 0, bytes.length / c.w)),
  r: (bytes, c) => new Float64Array(whole(bytes, c.w, 0, bytes.length / c.w)).map((rank) => rank || NaN),
  d: (bytes) => {
    const count = bytes.length / 8;
    const out = new Uint8Array(bytes.length);
    for (let place = 0; place < 8; place++) for (let i = 0; i < count; i++) out[8 * i + place] = bytes[place * count + i];
    return new Float64Array(out.buffer);
  },
  f: (bytes) => {
    const count = bytes.length / 4;
    const halves = whole(bytes, 4, 0, count);
    const words = new Uint32Array(2 * count);
    for (let i = 0; i < count; i++) words[2 * i + 1] = halves[i];
    return new Float64Array(words.buffer);
  },
  b: (bytes) => new Float64Array(bytes).map((b) => (b === 2 ? NaN : b)),
  c: (bytes, c) => whole(bytes, c.w, 0, bytes.length / c.w),
  t: (bytes) => JSON.parse(new TextDecoder().decode(bytes)),
};

/** What follows from the counts of an atom: true and false calls on which it fires. */
const wilson = (k, n) => {
  const centre = k + (Z * Z) / 2, spread = Z * Math.sqrt((k * (n - k)) / n + (Z * Z) / 4);
  return [(centre - spread) / (n + Z * Z), (centre + spread) / (n + Z * Z)];
};
const effect = (a, b, c, d) => Math.log(((a + 0.5) * (d + 0.5)) / ((b + 0.5) * (c + 0.5)));
const spread = (a, b, c, d) => Z * Math.sqrt(1 / (a + 0.5) + 1 / (b + 0.5) + 1 / (c + 0.5) + 1 / (d + 0.5));
const informs = (a, b, c, d) => a + b > 0 && c + d > 0 && a + c > 0 && b + d > 0;
const newcombe = (a, b, c, d, sign) => {
  const p = a / (a + b), q = c / (c + d);
  const [pl, ph] = wilson(a, a + b), [ql, qh] = wilson(c, c + d);
  return sign < 0 ? p - q - Math.hypot(p - pl, qh - q) : p - q + Math.hypot(ph - p, q - ql);
};
const follows = {
  fires: (a, b) => a + b,
  tp_off: (a, b, c) => c,
  fp_off: (a, b, c, d) => d,
  log_or: (a, b, c, d) => (informs(a, b, c, d) ? effect(a, b, c, d) : NaN),
  log_or_lo: (a, b, c, d) => (informs(a, b, c, d) ? effect(a, b, c, d) - spread(a, b, c, d) : NaN),
  log_or_hi: (a, b, c, d) => (informs(a, b, c, d) ? effect(a, b, c, d) + spread(a, b, c, d) : NaN),
  log_or_centred: (a, b, c, d) =>
    informs(a, b, c, d) && about.log_or_median !== null ? effect(a, b, c, d) - about.log_or_median : NaN,
  risk_difference: (a, b, c, d) => (informs(a, b, c, d) ? a / (a + b) - c / (c + d) : NaN),
  risk_difference_lo: (a, b, c, d) => (informs(a, b, c, d) ? newcombe(a, b, c, d, -1) : NaN),
  risk_difference_hi: (a, b, c, d) => (informs(a, b, c, d) ? newcombe(a, b, c, d, 1) : NaN),
  precision: (a, b) => (a + b ? a / (a + b) : NaN),
  precision_lo: (a, b) => (a + b ? wilson(a, a + b)[0] : NaN),
  precision_hi: (a, b) => (a + b ? wilson(a, a + b)[1] : NaN),
  chi2: (a, b, c, d) => {
    const n = a + b + c + d;
    return informs(a, b, c, d) ? (n * (a * d - b * c) ** 2) / ((a + b) * (c + d) * (a + c) * (b + d)) : NaN;
  },
  least_expected: (a, b, c, d) =>
    informs(a, b, c, d) ? (Math.min(a + b, c + d) * Math.min(a + c, b + d)) / (a + b + c + d) : NaN,
};

/** A column that loads itself. Numbers that follow from others are computed when all of them are asked for. */
class Column {
  constructor(table, described) {
    Object.assign(this, { table, name: described.n, about: described.a, kind: described.k, described });
    this.key = table.name === "atoms" ? described.n : `${table.name}.${described.n}`;
    this.numbers = null;
  }
  get values() { return (this.numbers ??= this.follow()); }
  get isText() { return this.kind === "t" || this.kind === "c"; }
  load() { return (this.loading ??= this.read().then(() => this)); }
  async read() {
    const d = this.described;
    if (this.kind === "x") this.counts = (await Promise.all(["tp_on", "fp_on"].map((name) => column(name).load()))).map((each) => each.values);
    // A p-value is kept as -log10 p, maybe that of another column. Its text comes from the logarithm, since
    // below 1e-300 there are no numbers.
    else if (this.kind === "p") this.logs = await logs(d.i, (this.table.columns.find((column) => column.i === d.i && column.k === "n") ?? d).w);
    else if (this.kind === "n") this.numbers = await logs(d.i, d.w);
    else this.numbers = decoders[this.kind](await inflated(d.i), d);
  }
  /** The numbers that follow from what was read; nothing before that. */
  follow() {
    if (this.logs) return this.logs.map((x) => 10 ** -x);
    if (!this.counts) return null;
    const out = new Float64Array(ATOMS);
    for (let row = 0; row < ATOMS; row++) out[row] = this.of(row);
    return out;
  }
  /** A row's number. */
  at(row) {
    if (this.numbers) return this.numbers[row];
    return this.logs ? 10 ** -this.logs[row] : this.counts ? this.of(row) : NaN;
  }
  of(row) {
    if (this.name === "atom") return row;
    const a = this.counts[0][row], b = this.counts[1][row];
    return follows[this.name](a, b, about.tp - a, about.fp - b);
  }
  /** The text of a row's value. */
  text(row) {
    if (this.logs) return pText(this.logs[row]);
    const value = this.at(row);
    if (this.kind === "c") return shown(this.described.names[value]);
    if (this.kind === "t") return value === null ? "NA" : shown(value);
    if (this.kind === "b") return Number.isNaN(value) ? "NA" : value ? "yes" : "no";
    return figure(value);
  }
}

const columns = new Map();
const column = (key) => columns.get(key);
const otherTables = [];
for (const table of about.tables) {
  const list = table.columns.map((described) => new Column(table, described));
  const isOfAtoms = table.rows === ATOMS && (table.name === "atoms" || table.columns[0]?.n === "atom");
  if (!isOfAtoms) otherTables.push({ table, list });
  else for (const each of list) if (table.name === "atoms" || each.name !== "atom") columns.set(each.key, each);
}

/** A number to four digits. */
function figure(x) {
  if (Number.isNaN(x)) return "NA";
  if (x === Infinity) return "inf";
  if (x === -Infinity) return "-inf";
  if (Number.isInteger(x) && Math.abs(x) < 1e15) return String(x);
  const size = Math.abs(x);
  if (size < 1e-4 || size >= 1e7) return x.toExponential(2);
  return size >= 1000 ? x.toFixed(0) : String(Number(x.toPrecision(4)));
}

/** p from its logarithm, however small. */
function pText(log) {
  if (Number.isNaN(log)) return "NA";
  if (log === Infinity) return "< 1e-300";
  if (log < 3) return figure(10 ** -log);
  const power = Math.ceil(log);
  return `${(10 ** (power - log)).toFixed(3)}e-${power}`;
}

/** Text in which nothing hides: controls and marks of direction are shown as their numbers. */
function shown(text) {
  return String(text).replace(
    /[\u{0}-\u{1f}\u{7f}-\u{9f}\u{ad}\u{61c}\u{180e}\u{200b}-\u{200f}\u{2028}-\u{202e}\u{2060}-\u{206f}\u{feff}\u{fff9}-\u{fffb}\u{e0000}-\u{e007f}]/gu,
    (c) => `\\u{${c.codePointAt(0).toString(16)}}`,
  );
}

const labels = new Map(Object.entries(about.labels).map(([atom, name]) => [Number(atom), name]));
const notes = new Map();
const atomName = (atom) => (labels.has(atom) ? `${atom} ${shown(labels.get(atom))}` : String(atom));

/** Chunks of cards, and the calls, each read once. */
const chunks = new Map();
function chunkOf(atom) {
  const number = Math.floor(atom / about.chunk);
  if (!chunks.has(number)) chunks.set(number, readChunk(number));
  return chunks.get(number);
}
async function readChunk(number) {
  const { arrays } = sections(await inflated(`cards-${number}`), 0);
  const starts = (counts) => {
    const ends = new Uint32Array(counts.length + 1);
    for (let i = 0; i < counts.length; i++) ends[i + 1] = ends[i] + counts[i];
    return ends;
  };
  return { arrays, first: number * about.chunk, of: [0, 4, 11, 15, 19].map((at) => starts(arrays[at])) };
}

/** Waits until the browser has read the whole page. */
const pageThere = () =>
  document.readyState === "loading"
    ? new Promise((done) => document.addEventListener("DOMContentLoaded", done, { once: true }))
    : Promise.resolve();

let callsRead = null;
function exampleCalls() {
  return (callsRead ??= inflated("calls").then((bytes) => {
    const length = new DataView(bytes.buffer).getUint32(0, true);
    const { arrays } = sections(bytes.slice(4, 4 + length), 0);
    return { arrays, names: JSON.parse(new TextDecoder().decode(bytes.subarray(4 + length))) };
  }));
}
