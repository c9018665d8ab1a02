//! Tests of the meaning that is given to names of tensors, of keys and of kinds of model.

use super::{Meaning, Scalar, as_is, is_other_kind, of_key, of_tensor};

#[test]
fn keys_that_could_change_an_encoding_are_told_from_others() {
    for name in [
        "threshold",
        "log_threshold",
        "activation",
        "activation_fn",
        "actFn",
        "pre_bias",
        "b_dec",
        "bias_pre",
        "pre_encoder_bias",
        "apply_b_dec_to_input",
        "normalize_activations",
        "normalize_input",
        "input_norm",
        "layer_norm",
        "batch_norm",
        "running_mean",
        "scaler",
        "scale",
        "scaling_factor",
        "center",
        "data_mean",
        "input_std",
        "use_relu",
        "gated",
        "encoder_layers",
        "jumprelu_init_threshold",
        "eps",
        "temperature",
        "subtract_decoder_bias",
        "rescale_acts_by_decoder_norm",
        "batch_topk_threshold",
        "ema_threshold",
        "train_mean",
        "batch_standardize",
        "abs_topk",
        "nonneg",
        "feature_mask",
    ] {
        assert_eq!(of_key(name, true), Meaning::Changes, "{name}");
    }
    for name in [
        "lr",
        "lr_scale",
        "learning_rate",
        "max_grad_norm",
        "loss_scale",
        "dead_threshold",
        "auxk_alpha",
        "decoder_norm",
        "normalize_decoder",
        "optimizer",
        "epochs",
        "batch_size",
        "activation_batch_size",
        "normalize_loss_coef",
        "weight_decay",
        "seed",
        "dataset",
        "model_name",
        "dtype",
        "hook_layer",
        "version",
    ] {
        let meaning = of_key(name, true);
        assert!(
            matches!(meaning, Meaning::Harmless | Meaning::Described),
            "{name}: {meaning:?}"
        );
    }
    assert_eq!(of_key("optimizer_state_dict", false), Meaning::Harmless);
    assert_eq!(of_key("training_args", false), Meaning::Described);
    assert_eq!(of_key("input_path", true), Meaning::Described);
    assert_eq!(of_key("std", true), Meaning::Used);
    assert_eq!(of_key("std", false), Meaning::Changes);
    assert_eq!(of_key("topK", true), Meaning::K);
    assert_eq!(of_key("k_eval", true), Meaning::K);
    assert_eq!(of_key("arch", true), Meaning::Kind);
    assert_eq!(of_key("favourite_colour", true), Meaning::Unknown);
}

#[test]
fn tensors_are_harmless_only_where_they_are_known() {
    for name in [
        "decoder.weight",
        "decoder.bias",
        "steps_since_active",
        "W_dec",
    ] {
        assert_eq!(of_tensor(name), Meaning::Harmless, "{name}");
    }
    for name in [
        "threshold",
        "b_dec",
        "encoder.0.weight",
        "bn.running_mean",
        "anything",
    ] {
        assert_eq!(of_tensor(name), Meaning::Changes, "{name}");
    }
}

#[test]
fn values_that_change_nothing_pass() {
    let text = |text: &str| Scalar::Text(text.to_owned());
    assert!(as_is("activation", &text("TopK")));
    assert!(as_is("activation", &text("batch_top_k")));
    assert!(as_is("normalize_activations", &text("none")));
    assert!(as_is("threshold", &Scalar::None));
    assert!(as_is("bias", &Scalar::Bool(true)));
    assert!(as_is("use_batch_topk", &Scalar::Bool(true)));
    assert!(!as_is("abs_topk", &Scalar::Bool(true)));
    assert!(as_is("eps", &Scalar::Float(1e-6)));
    assert!(!as_is("eps", &Scalar::Float(1e-5)));
    assert!(!as_is("activation", &text("jumprelu")));
    assert!(!as_is("threshold", &Scalar::Float(0.0)));
    assert!(!as_is("normalize", &Scalar::Bool(true)));
    assert!(!as_is("bias", &Scalar::Bool(false)));
    assert!(is_other_kind(&text("JumpReLU SAE")) && !is_other_kind(&text("BatchTopKSAE")));
}
