//! Which model, and what its files leave open.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::headings::REQUIRED;
use crate::read::{ModelAnswers, Orientation};

/// The model.
#[derive(Debug, Clone, Args)]
pub(in crate::cli) struct ModelArgs {
    /// The SAE: a file, or a folder with its config and weights (docs/MODELS.md lists the libraries)
    ///
    /// The library is told by keys and bytes. The notebook's is a file of torch.save: a dict with config
    /// (input_dim, feature_dim, k, and the mean μ and standard deviation σ of embeddings, each as long as
    /// one) and model_state_dict (encoder.weight [feature_dim, input_dim], encoder.bias [feature_dim]). A
    /// BEST_MODEL.json names its folder as best_dir. Nothing in a file is executed. atomscope inspect PATH
    /// says what a model is.
    #[arg(long, value_name = "PATH", required_unless_present = "activations", help_heading = REQUIRED)]
    pub(in crate::cli) model: Option<PathBuf>,

    #[command(flatten)]
    pub(in crate::cli) answers: AnswerArgs,
}

impl ModelArgs {
    /// A model that leaves nothing open.
    pub(in crate::cli) fn of(model: PathBuf) -> Self {
        let answers = AnswerArgs::default();
        let model = Some(model);
        Self { model, answers }
    }
}

/// Answers to what a model's files may leave open.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Model")]
pub(in crate::cli) struct AnswerArgs {
    /// Atoms that fire on a call, where no file says it
    #[arg(long, value_name = "K")]
    k: Option<usize>,

    /// Whether the decoder's bias is subtracted from embeddings, where no file says it
    #[arg(long, value_name = "yes|no", hide_possible_values = true)]
    subtract_decoder_bias: Option<YesNo>,

    /// How a square matrix lies: inputs-first [d_in, d_sae], or features-first
    #[arg(long, value_name = "WHICH")]
    orientation: Option<Orientation>,

    /// The threshold of all atoms, where no file has it
    #[arg(long, value_name = "T", allow_negative_numbers = true)]
    threshold: Option<f64>,

    /// The layer, of a model's folder that has several, or of a file of embeddings that has several
    /// matrices: its number, or a name
    ///
    /// It serves whichever of both has several: layer_26, layers.26 and blocks.26.hook_resid_post are
    /// of layer 26. Where model and embeddings are of different layers, --key says which embeddings.
    #[arg(long, value_name = "N")]
    layer: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, ValueEnum)]
enum YesNo {
    Yes,
    No,
}

impl AnswerArgs {
    /// The layer.
    pub(in crate::cli) fn layer(&self) -> Option<String> {
        self.layer.clone()
    }

    pub(in crate::cli) fn answers(&self) -> ModelAnswers {
        ModelAnswers {
            k: self.k,
            subtract_decoder_bias: self
                .subtract_decoder_bias
                .map(|answer| answer == YesNo::Yes),
            orientation: self.orientation,
            threshold: self.threshold,
            layer: self.layer.clone(),
        }
    }
}
