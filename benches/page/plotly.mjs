// Writes pages with a Plotly scatter of the same atoms as a report's volcano plot, to be opened by open.mjs.
//
//     node plotly.mjs REPORT.html PLOTLY.min.js OUT      writes OUT/webgl.html and OUT/svg.html
//
// Plotly stands in the page, as in the report all does. A page is ready once Plotly says that it has drawn.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { inflateSync } from "node:zlib";
import { join } from "node:path";

const [report, plotly, out] = process.argv.slice(2);
const html = readFileSync(report, "utf8");
const text = (id) => html.match(new RegExp(`id="${id}">([^<]*)</script>`))[1];
const about = JSON.parse(text("about"));
// The page's own functions, from its script.
const own = (name) => new Function(`${html.match(new RegExp(`(const DIGITS = [^;]*;[^]*?)?function ${name}\\([^]*?\n}\n`))[0]}; return ${name};`)();
const [bytesOf, logsOfDigits] = ["bytesOf", "logsOfDigits"].map(own);
const columns = about.tables.find((table) => table.name === "atoms").columns;

/** Whole numbers of a column: all first bytes come first, then all second ones. */
function whole(name) {
  const { i, w } = columns.find((column) => column.n === name);
  const first = inflateSync(bytesOf(text("first")));
  let from = 0;
  for (const [id, length] of about.first) {
    if (id === i) {
      const bytes = first.subarray(from, from + length), count = length / w;
      return Array.from({ length: count }, (_, row) => { let n = 0; for (let place = 0; place < w; place++) n += bytes[place * count + row] * 2 ** (8 * place); return n; });
    }
    from += length;
  }
  throw new Error(`no column ${name}`);
}

const [tp, fp, digits] = ["tp_on", "fp_on", "neg_log10_p"].map(whole);
const x = tp.map((a, row) => Math.log(((a + 0.5) * (about.fp - fp[row] + 0.5)) / ((fp[row] + 0.5) * (about.tp - a + 0.5))));
const y = [...logsOfDigits(digits)].map((log) => (Number.isFinite(log) ? log : null));
const data = JSON.stringify({ x: x.map((v) => Number(v.toPrecision(4))), y });
mkdirSync(out, { recursive: true });
for (const [name, type] of [["webgl", "scattergl"], ["svg", "scatter"]]) {
  writeFileSync(join(out, `${name}.html`), `<!doctype html>
<meta charset="utf-8"><title>Plotly</title><div id="plot"></div>
<script>${readFileSync(plotly, "utf8")}</script>
<script>
const { x, y } = ${data};
Plotly.newPlot("plot", [{ x, y, type: "${type}", mode: "markers", marker: { size: 4 } }], { width: 640, height: 420 })
  .then(() => { document.documentElement.dataset.ready = performance.now(); });
</script>
`);
}
console.log(`${x.length} points`);
