//! The words of panels: their titles, what they show, and the names of their axes.

use crate::report::html::svg::Words;

pub(super) const VOLCANO: Words<'static> = Words {
    title: "Effect and certainty of every atom",
    about: "One point an atom: how far it leans (odds ratio of firing, true against false \
    calls, all calls at once) and how sure that is (Fisher's exact test). Right of the middle an atom fires more \
    on true calls, left of it more on false calls. Coloured atoms are those that \
    a procedure claims: the strictest one within strata, where no other is chosen above.",
    x: "log odds ratio: false calls ← → true calls",
    y: "−log₁₀ p",
};

pub(super) const CRUDE: Words<'static> = Words {
    title: "On all calls, and within strata",
    about: "One point an atom with an association at a false discovery rate of 5 %: its odds ratio on all \
    calls against its odds ratio within strata. On the diagonal, type, size and dataset explain nothing; near the \
    horizontal line they explain all; in the upper left and lower right the atom leans to the other side within \
    strata. Crosses mark those that do so and are as certain on either side (Simpson's paradox).",
    x: "log odds ratio on all calls",
    y: "log odds ratio within strata",
};

pub(super) const SUPPORT: Words<'static> = Words {
    title: "How often atoms fire",
    about: "How many atoms fire on how many calls. Atoms left of the dashed line fire on too few calls to \
    be tested.",
    x: "calls on which an atom fires, from",
    y: "atoms",
};

pub(super) const TYPES: Words<'static> = Words {
    title: "SV types",
    about: "True and false calls of each SV type. Atoms that fire on one type look as if they went with the \
    label where types differ in their share of true calls: hence the strata.",
    x: "",
    y: "",
};

pub(super) const SIZES: Words<'static> = Words {
    title: "Sizes",
    about: "True and false calls by size, |SVLEN| in base pairs, on a logarithmic scale.",
    x: "|SVLEN| in base pairs",
    y: "calls",
};

pub(super) const CHROMOSOMES: Words<'static> = Words {
    title: "Chromosomes",
    about: "True and false calls of each chromosome.",
    x: "",
    y: "",
};

pub(super) const MAP: Words<'static> = Words {
    title: "Atoms that fire together",
    about: "The strongest atoms, and how often every two of them fire together (correlation φ of their \
    firing). Atoms that fire together stand together (average linkage), so a block is a group that says one thing.",
    x: "",
    y: "",
};

pub(super) const REPLICATION: Words<'static> = Words {
    title: "Replication",
    about: "Every atom that is tested in both parts of the cohort: its odds ratio within strata in the \
    part where it was discovered, and in the part that confirms. Points on the diagonal agree; points in the upper \
    left and lower right change sides.",
    x: "log odds ratio, discovery",
    y: "log odds ratio, confirmation",
};

pub(super) const REGIONS: Words<'static> = Words {
    title: "Regions",
    about: "One line a region of the reference: the odds ratio of being a false call, inside against outside, within \
    SV types and sizes (Mantel and Haenszel; where that is not known, on all calls), with its 95 % interval. Right of the line a call \
    in the region is more often false. Beside it: true and false calls in the region.",
    x: "log odds ratio of being false, in the region against outside",
    y: "",
};

pub(super) const PREDICTION: Words<'static> = Words {
    title: "Prediction of the label",
    about: "How well a model tells false calls from true ones that it was not fitted to: of a false and a true call, how \
    often the false one has the larger chance (AUROC), with its 95 % interval. The line at 0.5 is guessing. The \
    baseline knows SV type, size, dataset and the like: atoms tell something new where both together are better.",
    x: "AUROC",
    y: "",
};
