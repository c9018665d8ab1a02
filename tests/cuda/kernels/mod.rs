//! Every kernel against its twin: on a real device where one is demanded, else on the stand-in.

mod bound;
mod bound_case;
mod coactivate;
mod input;
mod machine;
mod reruns;
mod rescore;
mod select;
mod select_case;
mod select_groups;
mod select_threshold;
mod tally;
mod tally_rules;
mod whiten;
mod whiten_facts;
