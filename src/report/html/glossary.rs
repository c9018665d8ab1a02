//! The words of the page, each with what it means.

use std::fmt::Write;

/// The words: the name in the page, the word, its meaning.
const WORDS: [(&str, &str, &str); 22] = [
    (
        "atom",
        "atom",
        "One feature of the sparse autoencoder (SAE): a pattern in how the DNA language model sees a call. Atoms \
         have numbers, from 0.",
    ),
    (
        "fires",
        "fires, score",
        "An atom fires on a call if it is among those that describe the call. The score says how strongly.",
    ),
    (
        "label",
        "true call (TP), false call (FP)",
        "What the benchmark says of a call that the caller made: found in the truth set, or not.",
    ),
    (
        "share",
        "share of true calls, precision",
        "Of the calls on which an atom fires, the part that is true. Compare it with the share among all calls.",
    ),
    (
        "odds",
        "odds ratio, log odds ratio",
        "The odds that an atom fires on a true call (calls on which it fires by calls on which it does not), divided \
         by those on a false call. Above 1 (logarithm above 0) it leans to true calls, below 1 to false ones. At 1 it \
         tells nothing of the label.",
    ),
    (
        "interval",
        "95 % interval",
        "Where the true figure lies, in 95 of 100 such studies. One that covers an odds ratio of 1 leaves the side open.",
    ),
    (
        "strata",
        "strata, within strata",
        "Groups of calls that are alike in SV type, size and dataset. Compared within them, an atom is not taken for \
         a sign of false calls only because it fires on a type that is often false.",
    ),
    (
        "p",
        "p, −log₁₀ p",
        "How often chance alone would show at least as much. −log₁₀ p is 3 for p = 0.001: the higher, the surer.",
    ),
    (
        "maxt",
        "max-T",
        "Labels are shuffled within strata many times, and an atom must beat the strongest one of nearly all \
         shuffles. With 95 % confidence none of the atoms claimed so is there by chance. The strictest procedure here.",
    ),
    (
        "holm",
        "Holm",
        "The same promise as max-T from p-values alone, without shuffling.",
    ),
    (
        "fdr",
        "false discovery rate (FDR), Benjamini-Hochberg, Benjamini-Yekutieli, Storey's q",
        "Of the atoms claimed at 5 %, about 5 in 100 may be there by chance. Benjamini-Yekutieli holds however atoms \
         depend on each other; Storey's q estimates how many atoms have no association at all.",
    ),
    (
        "confounded",
        "confounded",
        "The association is there on all calls at once and goes away within strata.",
    ),
    (
        "simpson",
        "Simpson's paradox",
        "On all calls at once an atom leans to one side, within strata to the other, and is as certain on both.",
    ),
    (
        "homogeneity",
        "Breslow-Day",
        "A test of whether an atom's odds ratio is the same in all strata. Where it is not, one figure hides that.",
    ),
    (
        "auroc",
        "AUROC",
        "Of a pair of calls of which one is true and one false, how often the score puts them in order. 0.5 is guessing.",
    ),
    (
        "phi",
        "φ (phi)",
        "The correlation of two atoms' firing: 1 if they fire on the same calls, 0 if one says nothing of the other.",
    ),
    (
        "duplicates",
        "near-duplicates",
        "Atoms that fire on nearly the same calls (φ of 0.9 or more). They are one finding.",
    ),
    (
        "decoder",
        "direction in the decoder, cosine",
        "What an atom adds to the description of a call. Two atoms with a cosine near 1 add nearly the same.",
    ),
    (
        "replicated",
        "replicated",
        "Found in one part of the cohort, and found again in the other, which had no say in the choice.",
    ),
    (
        "notebook",
        "the notebook",
        "What the notebook \"SAE Interpretability Analysis\", on which atomscope is built, computes of an atom: a \
         chi-square test on all calls at once.",
    ),
    (
        "reason",
        "reason",
        "Why the benchmark calls a call false, where it says so: nothing of the truth set is near (no_candidate), \
         what it matches is taken by another call (multi), or size, sequence, overlap, distance, genotype or type \
         are too unlike.",
    ),
    (
        "certificate",
        "certificate",
        "Which atoms fire is defined by exact arithmetic, and was proven to be met on every call.",
    ),
];

/// Writes the section of all words.
pub(super) fn write(html: &mut String) {
    *html += "<section id=\"words\" aria-labelledby=\"h-words\"><h2 id=\"h-words\">Words</h2><dl class=\"words\">\n";
    for (name, word, meaning) in WORDS {
        // Writing to a string does not fail.
        let _ = writeln!(html, "<dt id=\"word-{name}\">{word}</dt><dd>{meaning}</dd>");
    }
    *html += "</dl></section>\n";
}
