// Opens pages in Chromium as a reader would, and demands what the page promises.
//
//     node check.mjs RESULTS...     folders with report.html, and atoms.parquet to compare with
//
// It needs playwright-core, axe-core, hyparquet and hyparquet-compressors (in node_modules of the folder named by PAGE_MODULES) and a Chromium
// (CHROMIUM, or /usr/bin/chromium). With PAGE_TIMES=1 the times are demanded too, not only told.
import { readFileSync, existsSync } from "node:fs";
import { createRequire } from "node:module";
import { execFileSync } from "node:child_process";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import assert from "node:assert/strict";

const require = createRequire(resolve(process.env.PAGE_MODULES ?? ".", "node_modules", "none.js"));
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const module = (path) => import(pathToFileURL(join(resolve(process.env.PAGE_MODULES ?? "."), "node_modules", path)).href);
const { parquetReadObjects } = await module("hyparquet/src/node.js");
const { compressors } = await module("hyparquet-compressors/src/index.js");
const times = [];
const limit = (name, ms, most) => {
  times.push([name, Math.round(ms), most]);
  if (process.env.PAGE_TIMES) assert.ok(ms <= most, `${name}: ${ms} ms, at most ${most}`);
};

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu"],
});

/** A page that has been opened, with what went wrong in it. */
async function open(file, options = {}, hash = "", before = null) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, acceptDownloads: true, ...options });
  const page = await context.newPage();
  const wrong = [], requests = [];
  page.on("console", (message) => wrong.push(`${message.type()}: ${message.text()}`));
  page.on("pageerror", (error) => wrong.push(String(error.stack)));
  page.on("dialog", (dialog) => { wrong.push(`dialog: ${dialog.message()}`); dialog.dismiss(); });
  page.on("request", (request) => { if (!/^(data|blob):/.test(request.url())) requests.push(request.url()); });
  if (before) await page.addInitScript(before);
  await page.goto(pathToFileURL(file).href + hash);
  const ready = () => page.waitForFunction(() => document.documentElement.dataset.ready, null, { timeout: 60000 });
  return { context, page, wrong, requests, ready };
}

async function download(page, act) {
  const [found] = await Promise.all([page.waitForEvent("download"), act()]);
  return readFileSync(await found.path());
}

const tests = {
  async "opens with one request and no message"(file) {
    const { context, page, wrong, requests, ready } = await open(file);
    await ready();
    const atoms = await page.evaluate(() => about.atoms);
    const took = Number(await page.evaluate(() => document.documentElement.dataset.ready));
    limit(`ready, ${atoms} atoms`, took, atoms > 16384 ? 600 : 300);
    await page.waitForTimeout(200);
    assert.deepEqual(wrong, []);
    assert.equal(requests.length, 1, requests.join(" "));
    await context.close();
  },

  async "columns are those of atoms.parquet"(file) {
    const path = join(file, "../atoms.parquet");
    if (!existsSync(path)) return "no atoms.parquet beside it";
    const bytes = readFileSync(path);
    const rows = await parquetReadObjects({ file: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length), compressors });
    const names = Object.keys(rows[0]);
    const { context, page, ready } = await open(file);
    await ready();
    const loaded = await page.evaluate((names) => Promise.all(names.map(async (name) => [...(await column(name).load()).values])), names);
    let compared = 0;
    const isP = (name) => /(^p$|_p$|midp$|fdr_bh$|fdr_by$|holm$|storey_q$|fdr$)/.test(name) && !name.endsWith("log10_p");
    names.forEach((name, c) => {
      assert.equal(loaded[c].length, rows.length, name);
      rows.forEach((row, atom) => {
        const expected = row[name] === null || row[name] === undefined ? NaN : Number(row[name]), found = loaded[c][atom];
        // Of p-values there are the four digits; below 1e-300 they are nothing but small.
        const digits = Number(expected.toPrecision(4));
        const isClose = Object.is(expected, found) || expected === found
          || (isP(name) ? Math.abs(found - digits) <= 1e-12 * digits || (expected < 1e-300 && found < 1e-290 && found >= 0)
            : name.endsWith("log10_p") ? Math.abs(found - expected) < 2.2e-4
            : Math.abs(found - expected) <= 3e-4 * Math.abs(expected) + 1e-12);
        assert.ok(isClose, `${name} of atom ${atom}: ${found}, not ${expected}`);
        compared++;
      });
    });
    await context.close();
    assert.ok(compared > 50 * rows.length, "all columns");
    return `${compared} numbers`;
  },

  async "runs no script but its own"(file) {
    const { context, page, ready } = await open(file);
    await ready();
    const ran = await page.evaluate(() => {
      document.body.append(Object.assign(document.createElement("script"), { textContent: "globalThis.foreign = 1" }));
      document.body.insertAdjacentHTML("beforeend", "<b id=probe onclick='globalThis.foreign = 2'>b</b>");
      document.getElementById("probe").click();
      return globalThis.foreign ?? null;
    });
    assert.equal(ran, null);
    await context.close();
  },

  async "a card says what the notebook and the decoder say"(file) {
    const first = await open(file);
    await first.ready();
    const [atom, directions, hasNotebook] = await first.page.evaluate(async () => {
      // An atom that others are like, where the decoder is known.
      let atom = about.summary.extended.strongest[0]?.atom ?? 0;
      for (const other of table.order.slice(0, about.directions ?? 0)) {
        if (cardOf(await chunkOf(other), other).alike.filter((n) => n.cosine > 1000).length >= 2) { atom = other; break; }
      }
      return [atom, about.directions, columns.has("notebook.fdr")];
    });
    await first.context.close();
    const { context, page, wrong, ready } = await open(file, {}, `#atom=${atom}`);
    await ready();
    await page.waitForSelector("#h-card");
    const text = await page.locator("#app-card").innerText();
    assert.equal(/odds \S+; chi-square p|leaves it out/.test(text), hasNotebook, "the notebook");
    if (directions === null) assert.ok(text.includes("made from counts"), text);
    else assert.ok(/cosine/.test(text) && (await page.locator("[aria-label='Atoms of a like direction'] tbody tr").count()) >= 2);
    assert.deepEqual(wrong, []);
    await context.close();
    return directions === null ? "no decoder" : `${directions} atoms with neighbours by direction`;
  },

  async "words and columns say what they mean"(file) {
    const { context, page, wrong, ready } = await open(file, {}, "#atom=0");
    await ready();
    await page.waitForSelector("#h-card");
    const told = await page.evaluate(() => {
      const terms = [...document.querySelectorAll(".figures dt")].filter((dt) => dt.textContent !== "the notebook");
      return terms.map((dt) => dt.querySelector("details.term > p")?.textContent ?? "");
    });
    assert.ok(told.length >= 3 && told.every((text) => text.length > 40), told.join(" | "));
    await page.locator("#app-card details.term summary").first().click();
    await page.waitForSelector("#app-card details.term[open] p");
    await page.click("#meanings summary");
    // A browser tells that a <details> opened in a task of its own, after the click is over.
    await page.waitForFunction(() => document.querySelectorAll("#meanings dd").length === table.chosen.length);
    const meanings = await page.$$eval("#meanings dd", (list) => list.map((dd) => dd.textContent));
    const silent = await page.evaluate(() => [...columns.values(), ...otherTables.flatMap(({ list }) => list)].filter((each) => !each.about || /does not say/.test(each.about)).map((each) => each.key));
    assert.deepEqual(silent, []);
    assert.ok(meanings.every((text) => text.length > 5), meanings.join(" | "));
    assert.deepEqual(wrong, []);
    await context.close();
  },

  async "nothing hides in a text"(file) {
    const { context, page, ready } = await open(file);
    await ready();
    // Unicode's own properties say what steers, ends a line or a paragraph, or is a control.
    const hidden = await page.evaluate(() => {
      const found = [];
      for (let c = 0; c <= 0x10ffff; c++) {
        const text = String.fromCodePoint(c);
        if (/[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}\u{feff}\u{200b}]/u.test(text) && shown(text) !== `\\u{${c.toString(16)}}`) found.push(c.toString(16));
      }
      return found;
    });
    assert.deepEqual(hidden, []);
    assert.equal(await page.evaluate(() => shown("µ 染色体 😀 é ~")), "µ 染色体 😀 é ~");
    await context.close();
  },

  async "atoms that change sides have a cross"(file) {
    const { context, page, ready } = await open(file);
    await ready();
    const [crosses, flips, all, atoms] = await page.evaluate(async () => {
      const flip = (await column("sign_flip").load()).values, crude = panels.find((panel) => panel.id === "crude");
      const count = () => {
        const path = [...crude.svg().querySelectorAll("path")].find((path) => /l8 8/.test(path.getAttribute("d")));
        return (path?.getAttribute("d").match(/M/g) ?? []).length;
      };
      const found = count();
      // Few cohorts have such atoms: as if all were.
      crude.crossed = new Float64Array(about.atoms).fill(1);
      return [found, [...crude.atoms].filter((atom) => flip[atom] === 1).length, count(), crude.atoms.length];
    });
    assert.equal(crosses, flips);
    assert.equal(all, atoms);
    const drawn = await page.evaluate(() => byId("p-crude").querySelectorAll(".static path.cross").length);
    assert.equal(drawn, flips ? 1 : 0);
    await context.close();
    return `${flips} atoms`;
  },

  async "sorts, filters, marks and exports"(file) {
    const { context, page, wrong, ready } = await open(file);
    await ready();
    const atoms = await page.evaluate(() => about.atoms);
    limit(`sort, ${atoms} atoms`, await page.evaluate(async () => { const began = performance.now(); await table.sort("log_or"); return performance.now() - began; }), 150);
    for (const key of ["fdr_bh", "neg_log10_p"]) {
      const sorted = await page.evaluate(async (key) => { await table.sort(key); return [...table.order].map((atom) => column(key).values[atom]).filter((x) => !Number.isNaN(x)); }, key);
      assert.ok(sorted.every((x, i) => i === 0 || (key === "fdr_bh" ? x >= sorted[i - 1] : x <= sorted[i - 1])), key);
    }
    await page.evaluate(() => table.sort("log_or"));
    const values = (await page.evaluate(() => [...table.order].slice(0, 200).map((atom) => column("log_or").values[atom]))).filter((x) => !Number.isNaN(x));
    assert.ok(values.every((x, i) => i === 0 || x <= values[i - 1]), "descending");
    await page.fill("#query", "log_or > 0.5 fires >= 3");
    await page.waitForFunction(() => /^\d+ of/.test(document.getElementById("count").textContent) && table.order.length < about.atoms);
    const kept = await page.evaluate(() => [...table.order].map((atom) => [column("log_or").values[atom], column("fires").values[atom]]));
    assert.ok(kept.length > 0 && kept.every(([log, fires]) => log > 0.5 && fires >= 3));
    const text = String(await download(page, () => page.click("text=Save as TSV")));
    const [header, ...lines] = text.replace(/\n$/, "").split("\n").map((line) => line.split("\t"));
    assert.equal(lines.length, kept.length);
    assert.ok(lines.every((line) => line.length === header.length && Number(line[header.indexOf("log_or")]) > 0.4999));
    const listed = async (query) => {
      await page.fill("#query", query);
      await page.waitForFunction((query) => table.text === query, query);
      return page.evaluate(async () => { await table.refresh(); return [...table.order]; });
    };
    const known = await page.evaluate(async () => { const { values } = await column("cmh_fdr_bh").load(); return [...values].flatMap((x, atom) => (Number.isNaN(x) ? [] : [[atom, x]])); });
    const sortedBy = (list) => [...list].sort((a, b) => a - b);
    assert.deepEqual(sortedBy(await listed("cmh_fdr_bh != NA")), known.map(([atom]) => atom), "missing values are no other values");
    assert.deepEqual(sortedBy(await listed("cmh_fdr_bh != 1")), known.filter(([, x]) => x !== 1).map(([atom]) => atom));
    const often = await page.evaluate(() => [...column("fires").values].flatMap((x, atom) => (x >= 10 ? [atom] : [])));
    assert.deepEqual(sortedBy(await listed("fires ≥ 10")), often);
    assert.deepEqual(await listed("fires > 1,000"), await listed("fires > 1000"));
    const byHolm = await page.evaluate(() => { const names = about.claims.names.flatMap((claim, i) => (claim.procedure === "holm" ? [i] : [])); return [...claimBits].flatMap((bits, atom) => (names.some((i) => bits & (1 << i)) ? [atom] : [])); });
    assert.deepEqual(sortedBy(await listed("holm")), byHolm, "a procedure finds all that it claims");
    for (const [query, words] of [["log_or > 1 or fires > 5", "All conditions must hold"], ["log_or > 1.2.3", "A condition is a column"]]) {
      await page.fill("#query", query);
      await page.waitForSelector(`text=${words}`);
    }
    await page.fill("#query", "nothing > 1");
    await page.waitForSelector("text=There is no column of numbers named nothing");
    await page.fill("#query", "");
    await page.fill("textarea", "1, 3-5");
    await page.click("button:text-is('Mark')");
    assert.deepEqual(await page.evaluate(() => [...marks]), [1, 3, 4, 5]);
    await page.check("#only-marked");
    await page.waitForFunction(() => table.order.length === 4);
    await page.uncheck("#only-marked");
    await page.click("summary:text-is('Range')");
    await page.getByLabel("From", { exact: true }).fill("1");
    await page.keyboard.press("Tab");
    await page.waitForFunction(() => table.ranges.size === 1 && table.order.length < about.atoms);
    await page.getByLabel("Column of the range").selectOption("fires");
    assert.equal(await page.getByLabel("From", { exact: true }).inputValue(), "", "the fields are of the column that is chosen");
    await page.keyboard.press("Escape");
    assert.equal(await page.locator("details.range[open]").count(), 0, "Escape closes a box");
    await page.click("text=log_or from 1 ×");
    await page.waitForFunction(() => table.order.length === about.atoms);
    assert.deepEqual(wrong, []);
    await context.close();
  },

  async "every picture is a table, an SVG and a PNG"(file) {
    const first = await open(file);
    await first.ready();
    const ids = await first.page.$$eval("#pictures figure", (figures) => figures.map((figure) => figure.id));
    await first.context.close();
    assert.ok(ids.length >= 4);
    for (const id of ids) {
      // A page of its own for each: browsers ask before many downloads from one.
      const { context, page, wrong, ready } = await open(file);
      await ready();
      const place = page.locator(`#${id}`);
      await place.locator("button", { hasText: "Show as table" }).click();
      await place.locator(".table-of tbody tr").first().waitFor();
      const svg = String(await download(page, () => place.locator("button", { hasText: /^SVG$/ }).click()));
      const isXml = await page.evaluate((svg) => !new DOMParser().parseFromString(svg, "image/svg+xml").querySelector("parsererror"), svg);
      assert.ok(isXml && svg.includes("<svg"), id);
      const png = await download(page, () => place.locator("button", { hasText: /^PNG$/ }).click());
      assert.equal(png.subarray(1, 4).toString(), "PNG", id);
      assert.deepEqual(wrong, []);
      await context.close();
    }
    return `${ids.length} pictures`;
  },

  async "a link opens an atom's card"(file) {
    const first = await open(file);
    await first.ready();
    const atom = await first.page.evaluate(() => about.summary.extended.strongest[0]?.atom ?? 0);
    const counts = await first.page.evaluate(async (atom) => Promise.all(["tp_on", "fp_on"].map(async (name) => (await column(name).load()).values[atom])), atom);
    await first.context.close();
    const { context, page, wrong, ready } = await open(file, {}, `#atom=${atom}`);
    await ready();
    await page.waitForSelector("#h-card");
    assert.ok((await page.textContent("#h-card")).includes(String(atom)));
    const card = await page.evaluate(async (atom) => { const card = cardOf(await chunkOf(atom), atom); return { strata: card.strata, chromosomes: card.chromosomes, bins: card.bins && [...card.bins], examples: card.examples.length }; }, atom);
    const sum = (list, key) => list.reduce((all, each) => all + each[key], 0);
    assert.deepEqual([sum(card.strata, "tp"), sum(card.strata, "fp")], counts, "strata add up");
    if (await page.evaluate(() => about.has_firings)) {
      assert.deepEqual([sum(card.chromosomes, "tp"), sum(card.chromosomes, "fp")], counts, "chromosomes add up");
      assert.ok(card.examples > 0);
      if (card.bins) assert.equal(card.bins.reduce((a, b) => a + b), counts[0] + counts[1], "bins add up");
    }
    const other = await page.evaluate(() => about.atoms - 1);
    await page.evaluate((atom) => { location.hash = `atom=${atom}`; }, other);
    await page.waitForFunction((atom) => Number(document.getElementById("app-card").dataset.atom) === atom, other);
    limit(`card, ${other + 1} atoms`, Number(await page.evaluate(() => document.getElementById("app-card").dataset.took)), 100);
    await page.evaluate(() => { location.hash = "atom=99999999"; });
    await page.waitForSelector("text=There is no atom 99999999 here");
    await page.evaluate(() => { location.hash = "atom=<img src=x onerror=alert(1)>"; });
    await page.waitForSelector("text=/There is no atom .*img/");
    assert.equal(await page.locator("img").count(), 0);
    assert.deepEqual(wrong, []);
    await context.close();
  },

  async "names are kept and saved"(file) {
    const { context, page, ready } = await open(file, {}, "#atom=1");
    await ready();
    await page.fill("#note", "Alu end </script>");
    await page.keyboard.press("Tab");
    await page.waitForFunction(() => document.getElementById("h-card").textContent.includes("Alu end </script>"));
    const saved = String(await download(page, () => page.click("text=Save labels.tsv")));
    assert.ok(saved.startsWith("atom\tname\n") && saved.includes("1\tAlu end </script>\n"), saved);
    const open_ = async (change) => {
      const other = await context.newPage();
      await other.route("**/*", async (route) => route.fulfill({ contentType: "text/html; charset=utf-8", body: change(readFileSync(file, "utf8")) }));
      await other.goto(pathToFileURL(file).href + "#atom=1");
      await other.waitForSelector("#h-card");
      return other.textContent("#h-card");
    };
    assert.ok((await open_((html) => html)).includes("Alu end"), "the browser keeps them");
    assert.ok(!(await open_((html) => html.replace(/"identity":"[^"]*"/, '"identity":"of others"'))).includes("Alu end"), "other results have none of these names");
    const named = await open_((html) => html.replace('"labels":{}', '"labels":{"1":"by hand"}'));
    assert.ok(named.includes("by hand") && !named.includes("Alu end"), named);
    await context.close();
  },

  async "colours follow the procedure that is chosen"(file) {
    const { context, page, ready } = await open(file);
    await ready();
    const found = await page.evaluate(() => about.claims.names.map((_, i) => {
      const select = document.getElementById("colour-by");
      select.value = String(i);
      select.dispatchEvent(new Event("change"));
      return sideOf.filter((side) => side > 0).length;
    }));
    const claimed = await page.evaluate(() => about.summary.extended.claims.map((claim) => claim.atoms));
    assert.deepEqual(found, claimed);
    await context.close();
  },

  async "the keyboard alone reaches a card"(file) {
    const { context, page, ready } = await open(file);
    await ready();
    await page.keyboard.press("/");
    assert.equal(await page.evaluate(() => document.activeElement.id), "query");
    for (let i = 0; i < 60 && (await page.evaluate(() => document.activeElement.id)) !== "grid"; i++) await page.keyboard.press("Tab");
    assert.equal(await page.evaluate(() => document.activeElement.id), "grid");
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press(" ");
    await page.keyboard.press("Enter");
    await page.waitForSelector("#h-card");
    const [open_, third] = await page.evaluate(() => [now.atom, table.order[2]]);
    assert.equal(open_, third);
    assert.ok(await page.evaluate(() => marks.has(table.order[2])));
    await page.evaluate(() => byId("grid").focus());
    await page.keyboard.press("End");
    await page.waitForFunction(() => table.active === table.order.length - 1);
    await context.close();
  },

  async "without scripts it is a report"(file) {
    const { context, page, wrong } = await open(file, { javaScriptEnabled: false });
    const text = await page.locator("main").innerText();
    for (const words of ["What holds", "Words", "true (TP)", "Atoms that lean to true or to false calls within strata", "Strongest", "works without scripts"]) assert.ok(text.includes(words), words);
    assert.ok((await page.locator("svg").count()) >= 3);
    assert.deepEqual(wrong.filter((message) => !message.includes("scripts")), []);
    await context.close();
  },

  async "an old browser gets a sentence"(file) {
    const { context, page } = await open(file, {}, "", () => { delete globalThis.DecompressionStream; });
    await page.waitForSelector("text=This browser is too old");
    assert.ok((await page.locator("svg").count()) >= 3);
    await context.close();
  },

  async "it prints"(file) {
    const { context, page, ready } = await open(file);
    await ready();
    await page.evaluate(() => setMarks([1, 3]));
    const lost = await page.$$eval(".static path.dot.fp", (paths) => paths.map((path) => path.getAttribute("d")).filter((d) => /h0(M|$)/.test(d)));
    const pdf = await page.pdf({ format: "A4" });
    await context.close();
    assert.equal(pdf.subarray(0, 4).toString(), "%PDF");
    assert.deepEqual(lost, [], "squares without a length are not in a PDF");
    let text;
    try { text = execFileSync("pdftotext", ["-", "-"], { input: pdf, maxBuffer: 1 << 26 }).toString(); } catch { return "pdftotext is not there: the text was not looked for"; }
    for (const words of ["What holds", "log odds ratio", "Strongest", "2 marked atoms"]) assert.ok(text.includes(words), words);
  },

  async "it is accessible, in light and in dark"(file) {
    for (const colorScheme of ["light", "dark"]) {
      const { context, page, ready } = await open(file, { colorScheme, bypassCSP: true }, "#atom=1");
      await ready();
      await page.waitForSelector("#h-card");
      await page.evaluate(axe);
      const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
      const serious = violations.filter((each) => ["serious", "critical"].includes(each.impact));
      assert.deepEqual(serious.map((each) => `${each.id}: ${each.help}: ${each.nodes.slice(0, 3).map((node) => node.html.slice(0, 150)).join(" | ")}`), [], colorScheme);
      await context.close();
    }
  },

  async "it fits a telephone"(file) {
    const { context, page, ready } = await open(file, { viewport: { width: 390, height: 800 } }, "#atom=1");
    await ready();
    await page.waitForSelector("#h-card");
    const [wide, room] = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
    assert.ok(wide <= room, `${wide} px in ${room}`);
    for (const name of ["Range", "Columns"]) {
      await page.click(`summary:text-is('${name}')`);
      const box = await page.locator("details.range[open] .pop").boundingBox();
      assert.ok(box.x >= 0 && box.x + box.width <= room, `${name} from ${box.x} to ${box.x + box.width} of ${room}`);
      await page.locator("h1").click();
      assert.equal(await page.locator("details.range[open]").count(), 0, "a click outside closes a box");
    }
    await context.close();
  },
};

let failed = 0;
for (const folder of process.argv.slice(2)) {
  const file = resolve(folder.endsWith(".html") ? folder : join(folder, "report.html"));
  for (const [name, test] of Object.entries(tests)) {
    try {
      const note = await test(file);
      console.log(`ok    ${name}${note ? ` (${note})` : ""}`);
    } catch (error) {
      failed++;
      console.log(`FAIL  ${name}: ${file}\n${error.stack}`);
    }
  }
}
for (const [name, took, most] of times) console.log(`time  ${name}: ${took} ms (goal ${most})`);
await browser.close();
process.exit(failed ? 1 : 0);
