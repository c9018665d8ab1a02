// Opens pages in WebKitGTK, the nearest to Safari that Debian has: run by hand, as CI has Chromium.
//
//     xvfb-run -a node webkit.mjs RESULTS...     (apt-get install webkit2gtk-driver xvfb)
import { spawn } from "node:child_process";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import assert from "node:assert/strict";

const port = 4900 + (process.pid % 90);
const driver = spawn("WebKitWebDriver", [`--port=${port}`], { stdio: "ignore" });
const pause = (ms) => new Promise((done) => setTimeout(done, ms));
/** One command of WebDriver. */
async function ask(method, path, body) {
  const answer = await fetch(`http://127.0.0.1:${port}${path}`, { method, body: body && JSON.stringify(body) });
  const { value } = await answer.json();
  if (value?.error) throw new Error(`${value.error}: ${value.message}`);
  return value;
}
try {
  await pause(1500);
  const options = { "webkitgtk:browserOptions": { binary: process.env.MINIBROWSER ?? "/usr/lib/x86_64-linux-gnu/webkit2gtk-4.1/MiniBrowser", args: ["--automation"] } };
  const { sessionId } = await ask("POST", "/session", { capabilities: { alwaysMatch: options } });
  const run = (script) => ask("POST", `/session/${sessionId}/execute/sync`, { script, args: [] });
  for (const folder of process.argv.slice(2)) {
    await ask("POST", `/session/${sessionId}/url`, { url: pathToFileURL(resolve(join(folder, "report.html"))).href + "#atom=1" });
    for (let i = 0; i < 300 && !(await run("return document.getElementById('h-card') !== null")); i++) await pause(100);
    const seen = await run("return { ready: document.documentElement.dataset.ready, card: document.getElementById('app-card').dataset.took, rows: document.querySelectorAll('#grid .row').length, canvases: document.querySelectorAll('canvas').length, count: document.getElementById('count').textContent }");
    assert.ok(seen.ready && seen.rows > 5 && seen.canvases >= 2, JSON.stringify(seen));
    console.log(`ok    ${folder}: ${JSON.stringify(seen)}`);
  }
  await ask("DELETE", `/session/${sessionId}`);
} finally {
  driver.kill();
}
