// The card of an atom.

/** Opens an atom's card and keeps it in the address. */
function openAtom(atom) {
  if (atom === undefined || atom < 0) return;
  if (location.hash === `#atom=${atom}`) showAtom(atom, true);
  else location.hash = `atom=${atom}`;
}

async function showAtom(atom, moves) {
  const place = byId("app-card");
  if (!Number.isInteger(atom) || atom < 0 || atom >= ATOMS) {
    place.replaceChildren(make("p", { class: "problem" }, `There is no atom ${shown(atom)} here: atoms are 0 to ${ATOMS - 1}.`));
    return;
  }
  now.atom = atom;
  changed();
  const began = performance.now();
  const keys = ["tp_on", "fp_on", "fires", "log_or", "log_or_lo", "log_or_hi", "precision", "precision_lo", "precision_hi", "neg_log10_p", "fdr_bh", "cmh_or", "cmh_or_lo", "cmh_or_hi", "cmh_neg_log10_p", "cmh_fdr_bh", "maxt_p", "auroc", "mean_score_tp", "mean_score_fp", "rank", "tested", "confounded", "sign_flip", "bd_tarone_fdr_bh", "chi2_p", "notebook.fdr"].filter(column);
  const [chunk] = await Promise.all([chunkOf(atom), about.has_firings ? exampleCalls() : null, ...keys.map((key) => column(key).load())]);
  if (now.atom !== atom) return;
  const card = cardOf(chunk, atom);
  const calls = about.has_firings ? await exampleCalls() : null;
  const pictures = make("div", { class: "panels" }, ...[forest(atom, card), histograms(card), ...categories(atom, card)].filter(Boolean));
  const children = [heading(atom), ...warningsOf(atom), figures(atom), pictures, examples(atom, card, calls), neighbours(card), directions(atom, card), await regions(atom), note(atom)];
  place.replaceChildren(make("article", { class: "card", "aria-labelledby": "h-card" }, ...children.filter(Boolean)));
  place.dataset.atom = atom;
  place.dataset.took = Math.round(performance.now() - began);
  if (moves) { place.scrollIntoView({ block: "start" }); byId("h-card").focus({ preventScroll: true }); }
}

function cardOf({ arrays, first, of }, atom) {
  const i = atom - first;
  const some = (group, names, from) => {
    const [start, end] = [of[group][i] ?? 0, of[group][i + 1] ?? 0];
    return Array.from({ length: end - start }, (_, k) => Object.fromEntries(names.map((name, n) => [name, arrays[from + n][start + k]])));
  };
  // Of numbers that ascend there are the gaps.
  const placed = (group, from) => {
    let at = 0;
    return some(group, ["at", "tp", "fp"], from).map((each) => ({ ...each, at: (at += each.at) }));
  };
  const float = (bits) => { const view = new DataView(new ArrayBuffer(4)); view.setUint32(0, (bits ?? 0) << 8); return view.getFloat32(0); };
  const bins = arrays[8].length ? arrays[8].subarray(i * 2 * about.bins, (i + 1) * 2 * about.bins) : null;
  const range = [float(arrays[9][i]), float(arrays[10][i])];
  return {
    strata: placed(0, 1), chromosomes: placed(1, 5), bins, range,
    examples: some(2, ["kind", "call", "score"], 12).map((e) => ({ ...e, score: range[0] + (e.score / 1023) * (range[1] - range[0]) })),
    neighbours: some(3, ["atom", "phi", "both"], 16), alike: some(4, ["atom", "cosine"], 20),
  };
}

const value = (key, atom) => column(key)?.at(atom) ?? NaN;

function heading(atom) {
  const tested = value("tested", atom) === 1;
  const claims = about.claims.names.filter((_, i) => claimBits[atom] & (1 << i)).map((claim) => make("li", {}, claimName(claim)));
  const step = (by, text) => make("button", { type: "button", onclick: () => { const at = table.order.indexOf(atom); openAtom(table.order[at + by]); } }, text);
  return make("div", {},
    make("h2", { id: "h-card", tabindex: -1 }, `Atom ${atomName(atom)}`),
    make("div", { class: "buttons" }, step(-1, "← previous in the table"), step(1, "next →"),
      make("button", { type: "button", onclick: () => toggleMark(atom) }, "Mark"),
      make("button", { type: "button", onclick: () => { document.documentElement.classList.add("only-card"); window.print(); } }, "Print this card")),
    make("p", {}, tested
      ? (claims.length ? "Claimed by:" : "No procedure claims it.")
      : `Not tested: it fires on fewer than ${about.min_support} calls, or all calls that it fires on, or does not, are of one label.`),
    claims.length ? make("ul", { class: "badges" }, ...claims) : null);
}

function warningsOf(atom) {
  const said = [];
  if (value("sign_flip", atom) === 1) said.push("Simpson's paradox: within strata it leans to the other side, as certainly.");
  if (value("confounded", atom) === 1) said.push("Confounded: the association goes away within strata.");
  if (value("bd_tarone_fdr_bh", atom) < 0.05) said.push("The strata disagree (Breslow-Day, FDR 5 %), and one odds ratio hides that.");
  return said.map((text) => make("p", { class: "caution" }, text));
}

function figures(atom) {
  const shownP = (key) => column(key)?.text(atom) ?? "NA";
  const v = (key) => figure(value(key, atom)), exp = (key) => figure(Math.exp(value(key, atom)));
  const share = (key) => (Number.isNaN(value(key, atom)) ? "NA" : `${(100 * value(key, atom)).toFixed(1)} %`);
  const rows = [
    ["fires on", "fires", `${v("fires")} calls: ${v("tp_on")} true, ${v("fp_on")} false`],
    ["share of true calls where it fires", "share", `${share("precision")} (95 % ${share("precision_lo")} to ${share("precision_hi")}); of all calls ${((100 * about.tp) / (about.tp + about.fp)).toFixed(1)} %`],
    ["odds ratio on all calls", "odds", `${exp("log_or")} (95 % ${exp("log_or_lo")} to ${exp("log_or_hi")}); p ${pText(value("neg_log10_p", atom))}; FDR ${shownP("fdr_bh")}`],
    ["odds ratio within strata", "strata", `${v("cmh_or")} (95 % ${v("cmh_or_lo")} to ${v("cmh_or_hi")}); p ${pText(value("cmh_neg_log10_p", atom))}; FDR ${shownP("cmh_fdr_bh")}`],
    ["step-down max-T p", "maxt", shownP("maxt_p")],
  ];
  if (about.has_scores) rows.push(["mean score where it fires", "auroc", `${v("mean_score_tp")} on true, ${v("mean_score_fp")} on false calls; AUROC ${v("auroc")} over all calls, of which those that it does not fire on have 0`]);
  rows.push(["the notebook", "notebook", notebookSays(atom)]);
  return make("dl", { class: "figures" }, ...rows.filter(([, , text]) => text !== "NA").flatMap(([name, word, text]) => [make("dt", {}, term(name, word)), make("dd", {}, text)]));
}

/** What the notebook says of an atom, by its own formulas. */
function notebookSays(atom) {
  const on = ["tp_on", "fp_on"].map((key) => value(key, atom)), fdr = value("notebook.fdr", atom);
  if (!column("notebook.fdr")) return "NA";
  if (Number.isNaN(fdr)) return "leaves it out: too few calls, or an expected count of 0";
  const odds = (on[0] * (about.fp - on[1])) / Math.max(1, on[1] * (about.tp - on[0]));
  const places = about.notebook.map((list, i) => [list.indexOf(atom) + 1, i ? "false" : "true"]).filter(([place]) => place);
  const place = places.map(([at, side]) => `; number ${at} of its ten most biased to ${side} calls`).join("");
  return `odds ${figure(odds)}; chi-square p ${column("chi2_p").text(atom)}; FDR ${column("notebook.fdr").text(atom)}, ${fdr < 0.05 ? "significant" : "not significant"}${place}. It knows no strata.`;
}

/** The atom's counts by the strata of the analysis, or by one property alone. */
function grouped(card, properties) {
  const all = new Map();
  about.strata.forEach((stratum, at) => {
    const name = properties.filter((p) => stratum[p] !== null).map((p) => shown(stratum[p])).join(" · ") || "all calls";
    const group = all.get(name) ?? { name, tp: 0, fp: 0, tpOn: 0, fpOn: 0 };
    group.tp += stratum[3]; group.fp += stratum[4];
    all.set(name, group);
    group.places = (group.places ?? []).concat(at);
  });
  const on = new Map(card.strata.map((s) => [s.at, s]));
  for (const group of all.values()) for (const at of group.places) { group.tpOn += on.get(at)?.tp ?? 0; group.fpOn += on.get(at)?.fp ?? 0; }
  return [...all.values()];
}

const cardPicture = (id, title, what, svg, rows) => {
  const element = make("figure", { class: "panel", id: `card-${id}` }, make("figcaption", {}, make("h3", {}, title), make("details", {}, make("summary", {}, "What is this?"), make("p", {}, what))), svg);
  buttons(element, `atom-${now.atom}-${id}`, () => withColours(svg), () => rows);
  return element;
};

/** A name that is cut in its middle where it is long, since its end may tell it from others; the whole as a title. */
function cutName(name, most) {
  const letters = [...name];
  if (letters.length <= most) return [name];
  const end = Math.floor(most / 3);
  return [`${letters.slice(0, most - end - 1).join("")}…${letters.slice(-end).join("")}`, make("title", {}, name)];
}

function forest(atom, card) {
  const scheme = about.scheme.map((is, i) => (is ? i : -1)).filter((i) => i >= 0);
  // Without strata there is one line, which stands below as all calls.
  const groups = (scheme.length ? grouped(card, scheme) : []).map((g) => ({ ...g, cells: [g.tpOn, g.fpOn, g.tp - g.tpOn, g.fp - g.fpOn] })).filter((g) => informs(...g.cells));
  groups.sort((a, b) => b.tpOn + b.fpOn - (a.tpOn + a.fpOn));
  const most = 24, cut = groups.length - most;
  const lines = groups.slice(0, most).map((g) => {
    const log = effect(...g.cells), half = spread(...g.cells);
    return { name: g.name, on: `${g.tpOn} of ${g.tp} · ${g.fpOn} of ${g.fp}`, log, low: log - half, high: log + half };
  });
  const within = Math.log(value("cmh_or", atom)), ends = ["cmh_or_lo", "cmh_or_hi"].map((key) => Math.log(value(key, atom)));
  const summary = [
    { name: "all calls at once", on: `${value("tp_on", atom)} · ${value("fp_on", atom)}`, log: value("log_or", atom), low: value("log_or_lo", atom), high: value("log_or_hi", atom), bold: true },
    { name: "within strata", on: "", log: within, low: ends[0], high: ends[1], bold: true },
  ].filter((line) => Number.isFinite(line.log));
  const all = [...lines, ...summary];
  if (!all.length) return null;
  const width = 680, left = 236, right = 190, row = 20, height = row * all.length + 40;
  const [low, high] = extent(all.flatMap((l) => [l.low, l.high, 0]).map((x) => Math.max(-8, Math.min(8, x))));
  const x = (v) => left + (Math.max(0, Math.min(1, (v - low) / (high - low)))) * (width - left - right);
  const svg = make("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": `Log odds ratio of atom ${atom} in each stratum, with 95 % intervals` });
  for (const t of ticks(low, high, 5)) svg.append(make("path", { class: "grid", d: `M${x(t)} 4V${height - 34}` }), make("text", { x: x(t), y: height - 20, "text-anchor": "middle" }, figure(t)));
  svg.append(make("path", { class: "axis", d: `M${x(0)} 4V${height - 34}` }), make("text", { class: "name", x: (left + width - right) / 2, y: height - 4, "text-anchor": "middle" }, "log odds ratio: false ← → true calls"));
  all.forEach((line, i) => {
    const y = 14 + row * i, side = line.log < 0 ? "fp" : "tp";
    svg.append(make("text", { x: left - 8, y: y + 4, "text-anchor": "end", class: line.bold ? "bold" : "" }, ...cutName(line.name, 38)),
      make("path", { class: `range ${side}`, d: `M${x(Number.isNaN(line.low) ? line.log : line.low)} ${y}H${x(Number.isNaN(line.high) ? line.log : line.high)}` }),
      line.bold ? make("path", { class: side, d: `M${x(line.log) - 6} ${y}l6 -6l6 6l-6 6z` }) : make("rect", { class: side, x: x(line.log) - 3.5, y: y - 3.5, width: 7, height: 7 }),
      make("text", { x: width - right + 8, y: y + 4 }, line.on));
  });
  const rows = [["stratum", "fires on true of, false of", "log odds ratio", "95 % from", "to"], ...groups.map((g) => { const log = effect(...g.cells), half = spread(...g.cells); return [g.name, `${g.tpOn} of ${g.tp} · ${g.fpOn} of ${g.fp}`, figure(log), figure(log - half), figure(log + half)]; })];
  const more = cut > 0 ? ` The ${most} strata in which it fires most are drawn; "Show as table" has all ${groups.length}.` : "";
  return cardPicture("forest", "Effect by stratum", `The log odds ratio of firing, true against false calls, in every stratum that informs, with its 95 % interval (Woolf; 0.5 added to each cell). To the right of the figures: on how many of the stratum's true and false calls it fires. Diamonds are all calls at once, and Mantel and Haenszel's estimate within strata.${more}`, svg, rows);
}

function histograms(card) {
  if (!card.bins) return null;
  const [low, high] = card.range, bins = about.bins, width = 640, half = 90, left = 40;
  const most = Math.max(1, ...card.bins), step = (width - left - 10) / bins;
  const svg = make("svg", { viewBox: `0 0 ${width} ${2 * half + 50}`, role: "img", "aria-label": "Scores of the atom on true calls, above the line, and on false calls, below it" });
  for (let i = 0; i < bins; i++) {
    const [tp, fp] = [card.bins[i], card.bins[bins + i]].map((n) => (n / most) * (half - 4));
    svg.append(make("rect", { class: "tp", x: left + i * step + 1, y: half - tp, width: step - 2, height: tp }), make("rect", { class: "fp", x: left + i * step + 1, y: half + 1, width: step - 2, height: fp }));
  }
  svg.append(make("path", { class: "axis", d: `M${left} ${half}H${width - 10}` }), make("text", { x: left - 4, y: 14, "text-anchor": "end" }, String(most)));
  for (let i = 0; i <= 4; i++) svg.append(make("text", { x: left + (i / 4) * (width - left - 10), y: 2 * half + 24, "text-anchor": i === 4 ? "end" : i ? "middle" : "start" }, figure(low + (i / 4) * (high - low))));
  svg.append(make("text", { class: "name", x: width / 2, y: 2 * half + 44, "text-anchor": "middle" }, "score where the atom fires: true calls above, false calls below"));
  const edge = (i) => figure(low + (i / bins) * (high - low));
  const rows = [["score from", "to", "true calls", "false calls"], ...Array.from({ length: bins }, (_, i) => [edge(i), edge(i + 1), card.bins[i], card.bins[bins + i]])];
  return cardPicture("scores", "How strongly it fires", "The atom's score on the calls on which it fires: true calls above the line, false calls below. On all other calls other atoms have larger scores, and this one does not fire.", svg, rows);
}

const KINDS = ["strongest", "strongest of its label", "drawn from its label", "50 to 75 % of the range of scores", "25 to 50 % of the range of scores", "0 to 25 % of the range of scores"];

function examples(atom, card, calls) {
  if (!calls || !card.examples.length) return null;
  const [chrom, pos, type, length, minus, isTrue, dataset, reason, mateChrom, matePos] = calls.arrays;
  const { names } = calls, has = (list) => list.length > 0;
  const name = (list, number) => (number ? shown(list[number - 1]) : "");
  const rows = card.examples.map(({ kind, call, score }) => {
    const locus = chrom[call] ? `${name(names.chrom, chrom[call])}:${pos[call]}` : "";
    const mate = mateChrom[call] ? ` → ${name(names.chrom, mateChrom[call])}:${matePos[call]}` : "";
    const id = names.id[call];
    const at = { chrom: chrom[call] ? names.chrom[chrom[call] - 1] : "", pos: pos[call], type: type[call] ? names.svtype[type[call] - 1] : "", length: length[call], mate: mateChrom[call] ? [names.chrom[mateChrom[call] - 1], matePos[call]] : null };
    return [
      make("span", { class: isTrue[call] ? "tp" : "fp" }, isTrue[call] ? "● true" : "■ false"), about.has_scores ? figure(score) : "", KINDS[kind], locus + mate,
      name(names.svtype, type[call]), length[call] ? `${minus[call] ? "-" : ""}${length[call]}` : "", ...(has(names.dataset) ? [name(names.dataset, dataset[call])] : []),
      ...(has(names.reason) ? [name(names.reason, reason[call])] : []), ...(has(names.id) ? [id === null || id === undefined ? "" : shown(id)] : []),
      ...(about.genome ? [links(at)] : []),
    ];
  });
  const header = ["label", "score", "why it is here", "locus", "type", "length", ...(has(names.dataset) ? ["dataset"] : []), ...(has(names.reason) ? [term("reason", "reason")] : []), ...(has(names.id) ? ["ID"] : []), ...(about.genome ? ["look at it"] : [])];
  return make("section", {}, make("h3", {}, "Calls on which it fires"),
    make("p", { class: "hint" }, `The ${about.top} strongest, then others: ${card.examples.length} of ${figure(value("fires", atom))}. ${about.genome ? "" : "Links to genome browsers need --genome hg38, hg19 or chm13."}`),
    make("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Calls on which it fires" }, plainTable([header, ...rows])));
}

/** Where a call is in genome browsers: both ends of a large one. */
function loci({ chrom, pos, type, length, mate }) {
  const hasEnd = /DEL|DUP|INV|CNV/.test(type) && length > 0;
  const room = Math.max(500, Math.round(0.2 * length));
  const window = (c, p) => `${c}:${Math.max(1, p - 500)}-${p + 500}`;
  if (mate) return [window(chrom, pos), window(mate[0], mate[1])];
  const end = hasEnd ? pos + length : pos;
  if (hasEnd && length > 20000) return [`${chrom}:${Math.max(1, pos - room)}-${end + room}`, window(chrom, pos), window(chrom, end)];
  return [`${chrom}:${Math.max(1, pos - room)}-${end + room}`];
}

function links(at) {
  if (!at.chrom || !at.pos) return "";
  const bare = at.chrom.replace(/^chr/i, ""), mateBare = at.mate && [at.mate[0].replace(/^chr/i, ""), at.mate[1]];
  const ucsc = loci({ ...at, chrom: `chr${bare}`, mate: mateBare && [`chr${mateBare[0]}`, mateBare[1]] });
  const ensembl = loci({ ...at, chrom: bare, mate: mateBare });
  const db = { hg38: "hg38", hg19: "hg19", chm13: "hs1" }[about.genome];
  const host = { hg38: "https://www.ensembl.org/Homo_sapiens", hg19: "https://grch37.ensembl.org/Homo_sapiens", chm13: "https://projects.ensembl.org/hprc/Homo_sapiens_GCA_009914755.4" }[about.genome];
  const words = ucsc.length === 1 ? [""] : at.mate ? [" 1", " 2"] : [" whole", " start", " end"];
  const link = (text, href) => make("a", { href, target: "_blank", rel: "noopener noreferrer" }, text);
  const igv = ucsc.length === 3 ? ucsc.slice(1) : ucsc;
  const out = [];
  ucsc.forEach((locus, i) => out.push(link(`UCSC${words[i]}`, `https://genome.ucsc.edu/cgi-bin/hgTracks?db=${db}&position=${encodeURIComponent(locus)}`), " "));
  if (about.genome !== "chm13") ensembl.forEach((locus, i) => out.push(link(`Ensembl${words[i]}`, `${host}/Location/View?r=${encodeURIComponent(locus)}`), " "));
  out.push(link("IGV", `http://localhost:60151/goto?locus=${igv.map(encodeURIComponent).join("%20")}`));
  return make("span", { class: "links" }, ...out);
}

/** The groups on whose calls the atom fires most, in their own order. */
function firesMost(groups, most) {
  const chosen = new Set([...groups].sort((a, b) => b.tpOn + b.fpOn - (a.tpOn + a.fpOn)).slice(0, most));
  return groups.filter((group) => chosen.has(group));
}

/** Bars of firing by type, size, dataset and chromosome. */
function categories(atom, card) {
  const of = (title, groups) => {
    const some = groups.filter((g) => g.tp + g.fp > 0);
    if (some.length < 2) return null;
    const rate = (on, all) => (all ? on / all : 0), most = Math.max(...some.flatMap((g) => [rate(g.tpOn, g.tp), rate(g.fpOn, g.fp)])) || 1;
    const limit = 40, list = some.length > limit ? firesMost(some, limit) : some;
    const row = 22, left = 150, right = 150, width = 640, height = row * list.length + 6;
    const svg = make("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": `Share of true and of false calls on which the atom fires, by ${title}` });
    list.forEach((g, i) => {
      const y = row * i + 3, size = (on, all) => (rate(on, all) / most) * (width - left - right);
      svg.append(make("text", { x: left - 6, y: y + 12, "text-anchor": "end" }, ...cutName(g.name, 22)), make("rect", { class: "tp", x: left, y, width: size(g.tpOn, g.tp), height: 8 }), make("rect", { class: "fp", x: left, y: y + 9, width: size(g.fpOn, g.fp), height: 8 }),
        make("text", { x: left + Math.max(size(g.tpOn, g.tp), size(g.fpOn, g.fp)) + 6, y: y + 12 }, `${g.tpOn}/${g.tp} · ${g.fpOn}/${g.fp}`));
    });
    const rows = [[title, "true calls on which it fires", "of", "false calls on which it fires", "of"], ...some.map((g) => [g.name, g.tpOn, g.tp, g.fpOn, g.fp])];
    return cardPicture(title.replace(/\W/g, "-"), `By ${title}`, "On what share of the true calls (blue, above) and of the false calls (orange, below) of each group the atom fires. Numbers: fires on / all, true · false." + (list.length < some.length ? ` The ${list.length} on whose calls it fires most are drawn; "Show as table" has all ${some.length}.` : ""), svg, rows);
  };
  const at = new Map(card.chromosomes.map((c) => [c.at, c]));
  const chromosomes = (about.chromosomes ?? []).map(([name, tp, fp], i) => ({ name: shown(name), tp, fp, tpOn: at.get(i)?.tp ?? 0, fpOn: at.get(i)?.fp ?? 0 }));
  return [of("size", bySize(grouped(card, [1]))), of("chromosome", chromosomes), of("SV type", grouped(card, [0])), of("dataset", grouped(card, [2]))];
}

/** Truvari's bins in the order of size. */
function bySize(groups) {
  const least = (name) => { const digits = name.match(/[\d.]+k?/)?.[0] ?? "1e9"; return digits.endsWith("k") ? 1000 * parseFloat(digits) : parseFloat(digits); };
  return groups.sort((a, b) => least(a.name) - least(b.name));
}

function neighbours(card) {
  if (!card.neighbours.length) return null;
  const rows = card.neighbours.map((n) => [atomLink(n.atom), (n.phi / 1000).toFixed(3), String(n.both), ["", "true calls", "false calls"][surelyOf[n.atom]]]);
  return make("section", {}, make("h3", {}, "Atoms that fire with it"),
    make("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Atoms that fire with it" }, plainTable([["atom", term("φ", "phi"), "calls on which both fire", "leans to, within strata"], ...rows])),
    make("button", { type: "button", onclick: () => setMarks([now.atom, ...card.neighbours.map((n) => n.atom)]) }, "Mark these"));
}

/** Atoms of the nearest directions in the decoder. */
function directions(atom, card) {
  const title = make("h3", {}, "Atoms of a like direction in the decoder");
  if (about.directions === null) return make("section", {}, title, make("p", { class: "hint" }, "Not known here: the page was made from counts, or the model's file has no decoder."));
  if (!card.alike.length) return make("section", {}, title, make("p", { class: "hint" }, `Computed for the ${about.directions} strongest atoms alone.`));
  const alike = card.alike.filter((n) => n.cosine > 1000);
  if (!alike.length) return make("section", {}, title, make("p", { class: "hint" }, "No atom's decoder vector has a cosine above 0 with its own."));
  const together = new Map(card.neighbours.map((n) => [n.atom, n.phi]));
  const rows = alike.map((n) => [atomLink(n.atom), (n.cosine / 1000 - 1).toFixed(3), together.has(n.atom) ? (together.get(n.atom) / 1000).toFixed(3) : ""]);
  return make("section", {}, title, make("p", { class: "hint" }, "The cosine of the angle between their decoder vectors. Near 1: the model writes nearly the same for both."),
    make("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Atoms of a like direction" }, plainTable([["atom", term("cosine", "decoder"), "φ, where it fires with it"], ...rows])),
    make("button", { type: "button", onclick: () => setMarks([atom, ...alike.map((n) => n.atom)]) }, "Mark these"));
}

/** The atom in and outside regions of the reference, where these were given. */
async function regions(atom) {
  const found = otherTables.find(({ table: of }) => of.name === "atom_regions");
  if (!found) return null;
  const wanted = ["region", "atom", "fires_in", "calls_in", "fires_out", "calls_out", "log_or", "fdr_bh", "cmh_or", "cmh_fdr_bh"];
  const list = wanted.map((name) => found.list.find((each) => each.name === name)).filter(Boolean);
  await Promise.all(list.map((each) => each.load()));
  const atoms = list.find((each) => each.name === "atom").values, rows = [];
  for (let row = 0; row < atoms.length; row++) if (atoms[row] === atom) rows.push(list.filter((each) => each.name !== "atom").map((each) => each.text(row)));
  if (!rows.length) return null;
  const header = list.filter((each) => each.name !== "atom").map((each) => make("abbr", { title: each.about, tabindex: 0 }, each.name));
  return make("section", {}, make("h3", {}, "In and outside regions"), make("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "In and outside regions" }, plainTable([header, ...rows])));
}

function note(atom) {
  const field = make("input", { id: "note", type: "text", maxlength: 200, value: labels.get(atom) ?? "", autocomplete: "off" });
  field.addEventListener("change", () => {
    const text = field.value.trim();
    notes.set(atom, [text, notes.get(atom)?.[1] ?? labels.get(atom) ?? ""]);
    if (text) labels.set(atom, text); else labels.delete(atom);
    remember(`notes ${about.identity}`, [...notes].map(([atom, kept]) => [atom, ...kept]));
    byId("h-card").textContent = `Atom ${atomName(atom)}`;
    changed();
  });
  return make("section", {}, make("h3", {}, "Your name for it"), make("label", { for: "note" }, "Name or note "), field, " ",
    make("button", { type: "button", onclick: () => save("labels.tsv", "atom\tname\n" + [...labels].sort((a, b) => a[0] - b[0]).map(([a, text]) => `${a}\t${text.replace(/[\t\r\n]/g, " ")}\n`).join(""), "text/tab-separated-values") }, "Save labels.tsv"),
    make("p", { class: "hint" }, "--labels labels.tsv puts the names into the next page."));
}
