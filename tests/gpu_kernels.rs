//! Every kernel against its twin: on a real device where one is demanded, else on the stand-in.

mod common;
mod twins;

#[path = "gpu_kernels/bound.rs"]
mod bound;
#[path = "gpu_kernels/coactivate.rs"]
mod coactivate;
#[path = "gpu_kernels/machine.rs"]
mod machine;
#[path = "gpu_kernels/reruns.rs"]
mod reruns;
#[path = "gpu_kernels/rescore.rs"]
mod rescore;
#[path = "gpu_kernels/select.rs"]
mod select;
#[path = "gpu_kernels/select_case.rs"]
mod select_case;
#[path = "gpu_kernels/tally.rs"]
mod tally;
#[path = "gpu_kernels/whiten.rs"]
mod whiten;
#[path = "gpu_kernels/whiten_facts.rs"]
mod whiten_facts;
