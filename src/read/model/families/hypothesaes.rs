//! `HypotheSAEs`: a config and a `state_dict` in one torch file.

use super::Family;
use crate::error::Result;
use crate::read::model::answers::Orientation;
use crate::read::model::candidate::{Bias, Candidate};
use crate::read::model::encoder::Encoder;

pub(super) const FAMILY: Family = Family {
    name: "HypotheSAEs",
    library: "hypothesaes 2.0.1",
    files: "`SAE_M=…_K=….pt`",
    known_by: "`config.m_total_neurons`, and `state_dict`",
    orientation: "`encoder.weight` [d_sae, d_in]",
    scores: "(x − `input_bias`) · `encoder.weight`ᵀ + `neuron_bias`",
    fires: "`k_active_neurons` largest above 0; with `use_batch_topk` above `threshold` and 0",
    claims: |of| {
        of.inner("config")
            .is_some_and(|config| config.has("m_total_neurons"))
    },
    read,
};

fn read(of: &Candidate<'_>) -> Result<Encoder> {
    let config = of.inner("config").unwrap_or_else(|| of.beside());
    let bias = Bias::Named("neuron_bias");
    let mut encoder = of.encoder("encoder.weight", Some(Orientation::FeaturesFirst), bias)?;
    config.check_size("input_dim", encoder.input_dim)?;
    config.check_size("m_total_neurons", encoder.features)?;
    encoder
        .input
        .push(of.subtract("input_bias", encoder.input_dim)?);
    encoder.scores = FAMILY.scores.replace('`', "");
    if config.flag("use_batch_topk", false)? {
        encoder.above_one(f64::from(of.weights.number("threshold")?));
    } else {
        encoder.top_k(of.k(config.count("k_active_neurons")?)?);
    }
    let harmless = [
        "decoder.weight",
        "threshold",
        "steps_since_activation",
        "stats_last_nonzero",
    ];
    of.weights.check_unused(&harmless)?;
    Ok(encoder)
}
