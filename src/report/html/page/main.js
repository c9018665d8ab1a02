// Starts the page.

function themeButton() {
  const order = ["auto", "light", "dark"];
  const button = make("button", { type: "button", id: "theme" });
  const set = (theme) => {
    document.documentElement.dataset.theme = theme;
    button.textContent = `Colours: ${theme}`;
  };
  button.addEventListener("click", () => {
    const theme = order[(order.indexOf(document.documentElement.dataset.theme) + 1) % 3];
    remember("theme", theme);
    set(theme);
    changed();
  });
  byId("nav").append(" ", button);
  set(order.includes(remembered("theme")) ? remembered("theme") : "auto");
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", changed);
}

function followAddress(moves) {
  const atom = location.hash.match(/^#atom=(.+)$/);
  if (atom) showAtom(/^\d+$/.test(atom[1]) ? Number(atom[1]) : decodeURIComponent(atom[1]), moves).catch(failed);
}

/** What is printed of the table: the marked atoms, where any are; the strongest stand in the page. */
function listForPrint() {
  const place = byId("app-print"), atoms = [...marks].sort((a, b) => a - b);
  place.replaceChildren();
  if (!atoms.length) return;
  const shownColumns = table.chosen.map(column);
  const rows = atoms.map((atom) => shownColumns.map((each) => (each.key === "atom" ? atomName(atom) : each.text(atom))));
  place.append(make("h3", {}, `${atoms.length} marked atoms`), plainTable([table.chosen, ...rows]));
}

const whenIdle = (work) => (window.requestIdleCallback ?? setTimeout)(() => work());

function failed(error) {
  document.documentElement.classList.remove("js");
  byId("old").hidden = false;
  byId("old").textContent = `The page cannot show its data (${error.message}). Findings and pictures below stand.`;
}

/** The reader's own names, of these results alone; one that the page names anew since is the page's. */
function readNotes() {
  for (const [atom, text, was] of remembered(`notes ${about.identity}`) ?? []) {
    if ((labels.get(atom) ?? "") !== was) continue;
    notes.set(atom, [text, was]);
    if (text) labels.set(atom, text); else labels.delete(atom);
  }
}

/** Names in the tables that stand without scripts, too, since these are printed. */
function nameStrongest() {
  for (const link of document.querySelectorAll(".strongest th a")) {
    const atom = Number(link.textContent);
    if (labels.has(atom)) link.textContent = atomName(atom);
  }
}

async function start() {
  if (!document.documentElement.classList.contains("js")) return;
  const strange = [...labels.keys()].filter((atom) => atom >= ATOMS);
  byId("old").hidden = !strange.length;
  byId("old").textContent = `Names were given to atoms that are not here (${strange.slice(0, 5).join(", ")}): maybe they are of another model.`;
  document.body.append(tip.element);
  readNotes();
  nameStrongest();
  await readFirst();
  const strictest = await readClaims();
  const select = make("select", { id: "colour-by" }, ...about.claims.names.map((claim, i) => make("option", { value: i, selected: i === strictest }, claimName(claim))));
  select.addEventListener("change", () => {
    colourBy(Number(select.value));
    for (const panel of panels) panel.strongest = null;
    changed();
  });
  document.querySelector(".key").append(" ", make("label", { for: "colour-by" }, "Coloured: claimed by "), select);
  themeButton();
  await Promise.all([table.start(), startPanels()]);
  panels[0].places();
  document.documentElement.dataset.ready = Math.round(performance.now());
  pageThere().then(() => {
    startTables();
    startReplication().catch(failed);
    // So the first card does not wait for them.
    if (about.has_firings) whenIdle(exampleCalls);
  });
  addEventListener("hashchange", () => followAddress(true));
  addEventListener("keydown", (event) => {
    if (event.key === "/" && !/^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement.tagName)) { event.preventDefault(); table.query.focus(); }
  });
  addEventListener("beforeprint", listForPrint);
  addEventListener("afterprint", () => document.documentElement.classList.remove("only-card"));
  followAddress(true);
}
start().catch(failed);
