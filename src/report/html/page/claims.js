// Which procedure claims an atom: the place of the first in the order of the claims.
// The sides of the atoms that the chosen procedure claims, and of those that the strictest one within strata does.
let claimOf = new Uint8Array(0), sideOf = new Uint8Array(0), surelyOf = new Uint8Array(0), claimBits = [];
const PROCEDURES = { max_t: "max-T", holm: "Holm", benjamini_yekutieli: "Benjamini-Yekutieli", benjamini_hochberg: "Benjamini-Hochberg", storey: "Storey's q", replicated: "replicated" };
const claimName = (claim) => `${PROCEDURES[claim.procedure]}, ${claim.scope === "within_strata" ? "within strata" : "all calls"}`;
const claimText = (atom) => (claimOf[atom] < about.claims.names.length ? claimName(about.claims.names[claimOf[atom]]) : "");
/** All procedures that claim an atom, as a text to search. */
const allClaims = (atom) => about.claims.names.filter((_, i) => claimBits[atom] & (1 << i)).map(claimName).join("; ");
async function readClaims() {
  const { w, i, names } = about.claims;
  const bytes = await inflated(i);
  claimBits = whole(bytes, w, 0, bytes.length / w);
  await Promise.all([column("cmh_or").load(), column("log_or").load()]);
  claimOf = new Uint8Array(ATOMS); sideOf = new Uint8Array(ATOMS);
  for (let atom = 0; atom < ATOMS; atom++) {
    const bits = claimBits[atom];
    claimOf[atom] = bits ? Math.log2(bits & -bits) : 255;
  }
  const strictest = names.findIndex((claim) => claim.scope === "within_strata" && claim.procedure === about.summary.extended.strictest);
  colourBy(strictest);
  surelyOf = sideOf.slice();
  return strictest;
}

/** Colours the atoms that a procedure claims by the side to which they lean. */
function colourBy(claim) {
  const cmh = column("cmh_or").values, log = column("log_or").values;
  const isWithin = about.claims.names[claim]?.scope === "within_strata";
  for (let atom = 0; atom < ATOMS; atom++) {
    sideOf[atom] = 0;
    if (claim < 0 || !(claimBits[atom] & (1 << claim))) continue;
    const lean = !isWithin || Number.isNaN(cmh[atom]) ? log[atom] : Math.log(cmh[atom]);
    sideOf[atom] = lean < 0 ? 2 : 1;
  }
}
