//! A file of weights with its config and a caller's answers: what a family reads.

use std::cell::RefCell;

use super::answers::{ModelAnswers, Orientation};
use super::config::Config;
use super::encoder::Encoder;
use super::weights::{OTHER_MODEL, Weights};
use crate::error::{Choice, Error, Proposal, Result};
use crate::read::tensor::shape_text;
use crate::sae::InputStep;

/// A file of weights with its config and a caller's answers.
pub(super) struct Candidate<'a> {
    pub(super) weights: &'a Weights,
    /// The config beside the weights.
    pub(super) config: Option<&'a Config>,
    /// The error of a config that cannot be read, until a family needs it.
    broken: RefCell<Option<Error>>,
    answers: &'a ModelAnswers,
    asked: RefCell<Vec<Choice>>,
    /// Answers that were used, one sentence each.
    answered: RefCell<Vec<String>>,
    /// Assumptions, one sentence each.
    assumed: RefCell<Vec<String>>,
}

impl<'a> Candidate<'a> {
    pub(super) fn new(
        weights: &'a Weights,
        (config, broken): (&'a Option<Config>, Option<Error>),
        answers: &'a ModelAnswers,
    ) -> Self {
        Self {
            weights,
            config: config.as_ref(),
            broken: RefCell::new(broken),
            answers,
            asked: RefCell::default(),
            answered: RefCell::default(),
            assumed: RefCell::default(),
        }
    }

    /// The values of a torch file under a key, as a config.
    pub(super) fn inner(&self, key: &str) -> Option<Config> {
        let value = self.weights.beside.get(key)?;
        let file = self.weights.source.name();
        value
            .is_object()
            .then(|| Config::inside(file, key, value.clone()))
    }

    /// The values of a torch file, or the metadata of a safetensors file, as a config.
    pub(super) fn beside(&self) -> Config {
        let file = self.weights.source.name();
        Config::inside(file, "the file", self.weights.beside.clone())
    }

    /// Says whether something lies beside the weights that has a config's name, readable or not.
    pub(super) fn is_with_config(&self) -> bool {
        self.config.is_some() || self.broken.borrow().is_some()
    }

    /// The error of a config that cannot be read, if there is one: of a kind of model that may have a
    /// config, or may need it to be known.
    pub(super) fn check_config(&self) -> Result<()> {
        self.broken.take().map_or(Ok(()), Err)
    }

    /// The config beside the weights, which this kind of model needs.
    pub(super) fn needed_config(&self, what: &str) -> Result<&'a Config> {
        self.check_config()?;
        self.config.ok_or_else(|| {
            let (place, expected, action) = if self.weights.is_in_memory() {
                let action =
                    "weights alone do not say which atoms fire: give its content, config=...";
                ("the weights", format!("{what} beside them"), action)
            } else {
                let action =
                    "weights alone do not say which atoms fire: put the config beside them";
                ("the folder", format!("{what} in the same folder"), action)
            };
            let file = self.weights.source.name();
            Error::input(file, place, "no config", expected, action)
        })
    }

    /// Notes an answer of the caller's.
    pub(super) fn note_answer(&self, sentence: impl Into<String>) {
        self.answered.borrow_mut().push(sentence.into());
    }

    /// The answers that were used.
    pub(super) fn answered(&self) -> Vec<String> {
        self.answered.borrow().clone()
    }

    /// Notes something that the file does not say, and nobody answered.
    pub(super) fn assume(&self, sentence: impl Into<String>) {
        self.assumed.borrow_mut().push(sentence.into());
    }

    /// The assumptions.
    pub(super) fn assumed(&self) -> Vec<String> {
        self.assumed.borrow().clone()
    }

    /// The error of a question that no file answers.
    fn ask(&self, choice: Choice, values: &[&str], place: &str, found: &str, why: &str) -> Error {
        let expected = format!("an answer: {why}");
        let action = "say it, as the code that made the model has it";
        let proposal = if values.is_empty() {
            Proposal::of(choice)
        } else {
            Proposal::new(choice, [values.join("|")])
        };
        Error::input(self.weights.source.name(), place, found, expected, action)
            .proposing([proposal])
    }

    fn contradiction(&self, choice: Choice, found: String, of_file: &str) -> Error {
        Error::choice(
            choice,
            found,
            format!("{of_file}, as {} says", self.weights.source.name()),
        )
    }

    /// The number of features that fire, which the file may say.
    pub(super) fn k(&self, of_file: Option<usize>) -> Result<usize> {
        self.asked.borrow_mut().push(Choice::TopK);
        match (of_file, self.answers.k) {
            (Some(k), Some(answer)) if k != answer => {
                Err(self.contradiction(Choice::TopK, answer.to_string(), &k.to_string()))
            }
            (Some(k), _) => Ok(k),
            (None, Some(k)) => {
                self.note_answer(format!("k = {k}, as answered: no key says it"));
                Ok(k)
            }
            (None, None) => {
                let why = "how many atoms fire on a call";
                Err(self.ask(Choice::TopK, &[], "k", "no key that says it", why))
            }
        }
    }

    /// The question for the threshold of a model that chose the largest of a batch in training.
    pub(super) fn ask_threshold(&self) -> Error {
        let found = "the largest scores of a batch, and no threshold that stands for them";
        let why = "the score above which atoms fire";
        self.ask(Choice::Threshold, &[], "threshold", found, why)
    }

    /// The answered k, of a model whose kind is told by it.
    pub(super) fn answered_k(&self) -> Option<usize> {
        self.asked.borrow_mut().push(Choice::TopK);
        self.answers.k
    }

    /// The answered threshold, of a model whose kind is told by it.
    pub(super) fn answered_threshold(&self) -> Option<f64> {
        self.asked.borrow_mut().push(Choice::Threshold);
        self.answers.threshold
    }

    /// Says whether the decoder's bias is subtracted, which the code alone says.
    pub(super) fn subtracts(&self, bias: &str) -> Result<bool> {
        self.asked.borrow_mut().push(Choice::SubtractDecoderBias);
        let Some(subtracts) = self.answers.subtract_decoder_bias else {
            let found = "a decoder's bias, of which no key says what is done";
            let why = "whether it is subtracted from embeddings before the encoder";
            let choice = Choice::SubtractDecoderBias;
            return Err(self.ask(choice, &["yes", "no"], bias, found, why));
        };
        let does = if subtracts { "is" } else { "is not" };
        self.note_answer(format!(
            "{bias} {does} subtracted, as answered: no key says it"
        ));
        Ok(subtracts)
    }

    /// Says whether the decoder's bias is subtracted, which a config says at this place.
    pub(super) fn subtracts_as(&self, subtracts: bool, place: &str) -> Result<bool> {
        let choice = Choice::SubtractDecoderBias;
        self.asked.borrow_mut().push(choice);
        let name = |yes| if yes { "yes" } else { "no" };
        match self.answers.subtract_decoder_bias {
            Some(answer) if answer != subtracts => {
                let expected = format!("{}, as {place} says", name(subtracts));
                Err(Error::choice(choice, name(answer), expected))
            }
            _ => Ok(subtracts),
        }
    }

    /// The orientation of a matrix, told by the number of features where that differs from the
    /// embeddings' length; `usual` where names tell it.
    pub(super) fn orientation(
        &self,
        name: &str,
        features: usize,
        usual: Option<Orientation>,
    ) -> Result<Orientation> {
        if usual.is_none() {
            self.asked.borrow_mut().push(Choice::Orientation);
        }
        let found = self.weights.shape(name).unwrap_or_default();
        let by_shape = match *found {
            [rows, columns] if rows == columns => None,
            [_, columns] if columns == features => Some(Orientation::InputsFirst),
            [rows, _] if rows == features => Some(Orientation::FeaturesFirst),
            _ => {
                let expected = format!("a matrix with a side of {features}, as there are biases");
                return Err(self
                    .weights
                    .bad(name, shape_text(found), expected, OTHER_MODEL));
            }
        };
        let told = match (by_shape, usual) {
            (Some(found), Some(usual)) if found != usual => {
                let expected = match usual {
                    Orientation::InputsFirst => format!("[d_in, {features}]"),
                    Orientation::FeaturesFirst => format!("[{features}, d_in]"),
                };
                let shape = shape_text(self.weights.shape(name).unwrap_or_default());
                return Err(self.weights.bad(name, shape, expected, OTHER_MODEL));
            }
            (found, usual) => usual.or(found),
        };
        match (told, self.answers.orientation) {
            (Some(told), Some(answer)) if told != answer => {
                Err(self.contradiction(Choice::Orientation, answer.to_string(), &told.to_string()))
            }
            (Some(told), _) => Ok(told),
            (None, Some(answer)) => {
                self.note_answer(format!("{name} has {answer}, as answered: it is square"));
                Ok(answer)
            }
            (None, None) => {
                let names = Orientation::NAMES.map(|(name, _)| name);
                let shape = shape_text(self.weights.shape(name).unwrap_or_default());
                let found = format!("a square matrix {shape}");
                let why = "which side is the embeddings'";
                Err(self.ask(Choice::Orientation, &names, name, &found, why))
            }
        }
    }

    /// The encoder's matrix as \[F, D\], and the biases of its features.
    pub(super) fn encoder(
        &self,
        matrix: &str,
        usual: Option<Orientation>,
        bias: Bias<'_>,
    ) -> Result<Encoder> {
        let features = self.features(matrix, usual, bias)?;
        let orientation = self.orientation(matrix, features, usual)?;
        let transposed = orientation == Orientation::InputsFirst;
        let (weight, [rows, input_dim]) = self.weights.matrix(matrix, transposed)?;
        if rows != features {
            let found = format!("{rows} features");
            let expected = format!("{features}, as there are biases");
            return Err(self.weights.bad(matrix, found, expected, OTHER_MODEL));
        }
        let bias = match bias {
            Bias::Named(name) => self.weights.vector(name, features)?,
            Bias::NoneAs(_) | Bias::None => vec![0.0; features],
        };
        Ok(Encoder {
            input_dim,
            features,
            weight,
            bias,
            ..Encoder::default()
        })
    }

    /// The number of features, by the biases, or by the matrix where there are none.
    fn features(&self, matrix: &str, usual: Option<Orientation>, bias: Bias<'_>) -> Result<usize> {
        let name = match bias {
            Bias::Named(name) | Bias::NoneAs(name) => name,
            Bias::None => matrix,
        };
        match (self.weights.shape(name), bias) {
            (Some(&[rows, columns]), Bias::None) => Ok(match usual {
                Some(Orientation::InputsFirst) => columns,
                _ => rows,
            }),
            (Some(&[features]), Bias::Named(_) | Bias::NoneAs(_)) => Ok(features),
            (Some(found), _) => {
                let expected = if name == matrix {
                    "a matrix"
                } else {
                    "a vector"
                };
                let found = shape_text(found);
                Err(self.weights.bad(name, found, expected, OTHER_MODEL))
            }
            // The error names what is there.
            (None, _) => self.weights.vector(name, 0).map(|_| 0),
        }
    }

    /// The step that subtracts a bias, if there is one of this name.
    pub(super) fn subtract(&self, name: &str, dim: usize) -> Result<InputStep> {
        self.weights.vector(name, dim).map(InputStep::Subtract)
    }

    /// An error if the caller answered what nobody asked.
    pub(super) fn check_answers(&self, family: &str) -> Result<()> {
        let asked = self.asked.borrow();
        let mut given = self.answers.of_model();
        match given.find(|(choice, _)| !asked.contains(choice)) {
            Some((choice, answer)) => {
                let expected =
                    format!("no answer: a model of {family} leaves no such question open");
                Err(Error::choice(choice, answer, expected))
            }
            None => Ok(()),
        }
    }
}

/// The biases of an encoder's features.
#[derive(Clone, Copy)]
pub(super) enum Bias<'a> {
    /// A tensor \[F\].
    Named(&'a str),
    /// None; a tensor \[F\] of this name says how many features there are.
    NoneAs(&'a str),
    /// None, nor a tensor of that size; the matrix lies as is usual.
    None,
}
