// Opens a page in Chromium again and again, and tells how long it takes until it answers.
//
//     node open.mjs ROUNDS FILE...     files of pages that set data-ready of their root to performance.now()
//
// Chromium (CHROMIUM, or /usr/bin/chromium) is driven through its own pipe, without a library: one that
// watches the network copies every page once more, and takes as long for it as a large page for all else.
// Files alternate. Told of each is the least: milliseconds until ready, and milliseconds of the main thread's
// processor until then, which hardly depend on what else the machine does.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

/** A browser of its own, with a command that is answered. */
function launch() {
  const profile = mkdtempSync(join(tmpdir(), "page-"));
  const flags = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--window-size=1280,900", `--user-data-dir=${profile}`, ...(process.env.CHROMIUM_FLAGS ?? "").split(" ").filter(Boolean)];
  const browser = spawn(process.env.CHROMIUM ?? "/usr/bin/chromium", [...flags, "--remote-debugging-pipe", "about:blank"], { stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"] });
  const waiting = new Map();
  let number = 0, rest = "";
  browser.stdio[4].on("data", (bytes) => {
    const messages = (rest + bytes).split("\0");
    rest = messages.pop();
    for (const text of messages) {
      const { id, result, error } = JSON.parse(text);
      const [done, fail] = waiting.get(id) ?? [];
      waiting.delete(id);
      if (error) fail?.(new Error(error.message)); else done?.(result);
    }
  });
  const ask = (method, params = {}, sessionId = undefined) => new Promise((done, fail) => {
    waiting.set(++number, [done, fail]);
    browser.stdio[3].write(`${JSON.stringify({ id: number, method, params, sessionId })}\0`);
  });
  const close = async () => {
    const ended = new Promise((done) => browser.once("exit", done));
    await ask("Browser.close").catch(() => {});
    await ended;
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  };
  return { ask, close };
}

/** Opens a file, and gives the milliseconds until it is ready. */
async function once(file) {
  const { ask, close } = launch();
  try {
    const { targetId } = await ask("Target.createTarget", { url: "about:blank" });
    const { sessionId } = await ask("Target.attachToTarget", { targetId, flatten: true });
    const to = (method, params) => ask(method, params, sessionId);
    await to("Performance.enable", { timeDomain: "threadTicks" });
    await to("Page.navigate", { url: pathToFileURL(resolve(file)).href });
    const expression = `new Promise((done) => { const look = () => { const { ready } = document.documentElement.dataset; if (ready) done(Number(ready)); else setTimeout(look, 5); }; look(); })`;
    let ready;
    // The document that was there before is gone in the midst of the question.
    while (!(ready >= 0)) ready = (await to("Runtime.evaluate", { expression, awaitPromise: true }).catch(() => null))?.result?.value;
    const { metrics } = await to("Performance.getMetrics");
    const busy = metrics.find((metric) => metric.name === "TaskDuration").value * 1000;
    return { ready, busy };
  } finally {
    await close();
  }
}

const [rounds, ...files] = process.argv.slice(2);
const least = new Map(files.map((file) => [file, { ready: Infinity, busy: Infinity }]));
for (let round = 0; round < Number(rounds); round++) {
  for (const file of files) {
    const found = await once(file), best = least.get(file);
    best.ready = Math.min(best.ready, found.ready);
    best.busy = Math.min(best.busy, found.busy);
  }
}
for (const [file, { ready, busy }] of least) console.log(`${file}\tready ${ready.toFixed(0)} ms\tbusy ${busy.toFixed(0)} ms`);
