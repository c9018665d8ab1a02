// Opens pages in Firefox: run by hand, as CI has Chromium.
//
//     PAGE_MODULES=FOLDER node firefox.mjs RESULTS...     FOLDER has node_modules/puppeteer-core
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import assert from "node:assert/strict";

const require = createRequire(join(resolve(process.env.PAGE_MODULES ?? "."), "node_modules", "none.js"));
const puppeteer = require("puppeteer-core");
const browser = await puppeteer.launch({ browser: "firefox", executablePath: process.env.FIREFOX ?? "/usr/bin/firefox-esr", headless: true });
for (const folder of process.argv.slice(2)) {
  const page = await browser.newPage();
  await page.setViewport({ width: 1280, height: 900 });
  const wrong = [];
  page.on("console", (message) => wrong.push(message.text()));
  page.on("pageerror", (error) => wrong.push(String(error)));
  await page.goto(pathToFileURL(resolve(folder, "report.html")).href + "#atom=1");
  await page.waitForSelector("#h-card", { timeout: 60000 });
  const seen = await page.evaluate(async () => {
    const began = performance.now();
    await table.sort("log_or");
    table.text = "log_or > 0";
    await table.refresh();
    return { ready: document.documentElement.dataset.ready, card: byId("app-card").dataset.took, sorted: Math.round(performance.now() - began), kept: table.order.length, positive: [...table.order].every((atom) => column("log_or").values[atom] > 0), rows: document.querySelectorAll("#grid .row").length, canvases: document.querySelectorAll("canvas").length };
  });
  assert.deepEqual(wrong, []);
  assert.ok(seen.positive && seen.kept > 0 && seen.rows > 5 && seen.canvases >= 2, JSON.stringify(seen));
  console.log(`ok    ${folder}: ${JSON.stringify(seen)}`);
  await page.close();
}
await browser.close();
