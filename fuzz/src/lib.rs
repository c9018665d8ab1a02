//! The bodies of the fuzzing targets. The tests of the program run them over the committed corpus.

pub mod bodies;
