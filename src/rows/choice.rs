//! Which matrix of a file holds the embeddings, and how the tokens of a call become one row.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The arithmetic that makes one row of the L tokens of a call, given as \[N, L, D\].
///
/// Numbers are widened to binary32 first. Each of the D places is pooled by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Pool {
    /// The sum over the tokens in ascending order, in binary64 from +0 on, divided by L in binary64,
    /// rounded to binary32 once.
    Mean,
    /// The last token, L − 1.
    Last,
    /// The largest number; of equal ones the first, and a NaN where there is one.
    Max,
    /// One token, from 0 on; −1 is the last one, −2 the one before.
    Token(i64),
}

impl Pool {
    /// The number of the one token that is taken, of `count` of them; `None` if there is no such token,
    /// or if all of them are pooled.
    pub(crate) fn token(self, count: usize) -> Option<usize> {
        match self {
            Self::Mean | Self::Max => None,
            Self::Last => count.checked_sub(1),
            Self::Token(at) if at < 0 => {
                count.checked_sub(usize::try_from(at.unsigned_abs()).ok()?)
            }
            Self::Token(at) => usize::try_from(at).ok().filter(|&at| at < count),
        }
    }
}

impl FromStr for Pool {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let token = |text: &str| text.strip_prefix("token:")?.parse().ok();
        match text {
            "mean" => Ok(Self::Mean),
            "last" => Ok(Self::Last),
            "max" => Ok(Self::Max),
            _ => token(text).map(Self::Token).ok_or_else(|| {
                "expected mean, last, max or token:I, where I counts from 0, or from the end as -1"
                    .to_owned()
            }),
        }
    }
}

impl fmt::Display for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mean => f.write_str("mean"),
            Self::Last => f.write_str("last"),
            Self::Max => f.write_str("max"),
            Self::Token(at) => write!(f, "token:{at}"),
        }
    }
}

impl TryFrom<String> for Pool {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Pool> for String {
    fn from(pool: Pool) -> Self {
        pool.to_string()
    }
}

/// The matrix of a file of embeddings that is taken, and what becomes of its tokens.
///
/// Counts go together only if their rows were taken by the same choice.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EmbeddingsChoice {
    /// The key: of a dict in a torch file, with dots where dicts are nested; an array of an `.npz`; a
    /// tensor of a safetensors file; a column of a table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The layer that the matrix's key names, where a file has matrices of several layers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layer: Option<String>,
    /// The way in which tokens become one row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pool: Option<Pool>,
}

impl EmbeddingsChoice {
    /// Says whether nothing was chosen.
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

impl fmt::Display for EmbeddingsChoice {
    /// The choice in words.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = self.key.as_ref().map(|key| format!("the key {key}"));
        let layer = self.layer.as_ref().map(|layer| format!("layer {layer}"));
        let pool = self.pool.map(|pool| format!("tokens pooled by {pool}"));
        let words: Vec<_> = [key, layer, pool].into_iter().flatten().collect();
        if words.is_empty() {
            return f.write_str("embeddings without a choice of key, layer or pooling");
        }
        write!(f, "embeddings by {}", words.join(", "))
    }
}

/// The embeddings that were taken from a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TakenEmbeddings {
    /// The key of the matrix; `None` where the file is the matrix alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The layer by which it was chosen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub layer: Option<String>,
    /// The element type in the file, in torch's words.
    pub dtype: &'static str,
    /// The shape in the file: \[N, D\], or \[N, L, D\].
    pub shape: Vec<usize>,
    /// The way in which tokens became one row.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pool: Option<Pool>,
    /// What was chosen by the caller, as far as it decided.
    #[serde(skip)]
    pub choice: EmbeddingsChoice,
}

#[cfg(feature = "parquet")]
impl TakenEmbeddings {
    /// The same of a file of so many rows.
    pub(crate) fn of_rows(mut self, rows: usize) -> Self {
        if let Some(count) = self.shape.first_mut() {
            *count = rows;
        }
        self
    }
}

impl fmt::Display for TakenEmbeddings {
    /// One line: key, type, shape, pooling.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(key) = &self.key {
            write!(f, "{key}, ")?;
        }
        write!(f, "{} {:?}", self.dtype, self.shape)?;
        if let Some(layer) = &self.layer {
            write!(f, ", layer {layer}")?;
        }
        match self.pool {
            Some(pool) => write!(f, ", tokens pooled by {pool}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Pool;

    #[test]
    fn pool_parses_what_it_writes() {
        for text in ["mean", "last", "max", "token:0", "token:-3"] {
            assert_eq!(text.parse::<Pool>().unwrap().to_string(), text);
        }
        for text in ["", "Mean", "token", "token:", "token:x", "median"] {
            assert!(text.parse::<Pool>().is_err(), "{text}");
        }
    }

    #[test]
    fn token_counts_from_both_ends() {
        for (pool, token) in [
            (Pool::Last, Some(4)),
            (Pool::Token(0), Some(0)),
            (Pool::Token(4), Some(4)),
            (Pool::Token(5), None),
            (Pool::Token(-1), Some(4)),
            (Pool::Token(-5), Some(0)),
            (Pool::Token(-6), None),
            (Pool::Token(i64::MIN), None),
            (Pool::Mean, None),
        ] {
            assert_eq!(pool.token(5), token, "{pool}");
        }
        assert_eq!(Pool::Last.token(0), None);
    }
}
