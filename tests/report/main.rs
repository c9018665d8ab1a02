//! What people and programs are shown: text, tables, and the files of the notebook.

mod batch_topk;
mod evidence_words;
mod findings;
mod html;
#[path = "../common/letters.rs"]
mod letters;
mod notebook_parity;
mod summary;
mod summary_text;
mod tables;
mod tables_docs;
mod tables_speed;
