//! The results in the form that people read: one output per file, over the plain results of
//! `stats`.
//!
//! | file | what it writes |
//! |---|---|
//! | `text` | the printed analysis, `report.txt` |
//! | `csv` | `sae_feature_bias_analysis.csv`, `coactivation.csv` |
//! | `json` | `top_biased_features.json`, the investigation of single atoms |
//! | `calls` | the calls on which chosen atoms fire |
//! | `mqc` | `atomscope_mqc.json` and `atomscope_volcano_mqc.json`, for MultiQC |
//! | `npy` | `fires.npy` |
//! | `html` | `report.html` |
//! | `points` | nothing: where atoms stand in the pictures of `html` and `mqc` |
//! | `table` | tables with a meaning to each column, as Parquet and as tab-separated text |
//! | `tables` | the tables beside the notebook's, column by column |

#![forbid(unsafe_code)]

pub mod calls;
pub mod csv;
pub mod html;
pub mod json;
pub mod mqc;
pub mod npy;
mod points;
pub mod table;
pub mod tables;
pub mod text;
