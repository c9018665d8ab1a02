//! The frame of a page: what stands around findings, pictures and data.

use std::fmt::Write;

use serde_json::json;

use super::columns::Island;
use super::data::Data;
use super::escape::{self, text};
use super::pack::hash_source;
use super::plots::Panel;
use super::{EARLY, SCRIPT, STYLE, glossary};

/// The parts of a page, as HTML where they are not said to be text.
pub(super) struct Parts<'a> {
    pub(super) findings: &'a str,
    pub(super) panels: &'a [Panel],
    /// Tables of the strongest atoms.
    pub(super) atoms: &'a str,
    /// The printed report, as text.
    pub(super) report: &'a str,
    pub(super) data: Option<&'a Data>,
}

impl Parts<'_> {
    pub(super) fn page(&self) -> String {
        let mut html = String::with_capacity(1 << 20);
        head(&mut html);
        html += "<body>\n<a class=\"skip\" href=\"#main\">Skip to the findings</a>\n<header><h1>atomscope</h1>\
                 <p class=\"lead\">Which atoms of a sparse autoencoder fire on true and on false \
                 structural-variant calls</p><nav id=\"nav\" aria-label=\"Sections\"><a href=\"#findings\">Findings\
                 </a> <a href=\"#pictures\">Pictures</a> <a href=\"#atoms\">Atoms</a> \
                 <a href=\"#words\">Words</a> <a href=\"#text\">Printed report</a></nav></header>\n<main id=\"main\" tabindex=\"-1\">\n";
        html += "<p id=\"old\" class=\"note\"><noscript>This page works without scripts: findings, pictures and \
                 the strongest atoms are below. With scripts it also has every atom, a card for each, and \
                 search.</noscript><span class=\"too-old\">This browser is too old for the table of all atoms and \
                 for cards (2023 or later has what they need). Findings, pictures and the strongest atoms are \
                 below.</span></p>\n<section id=\"findings\" aria-labelledby=\"h-findings\">\
                 <h2 id=\"h-findings\">What holds</h2>\n";
        html += self.findings;
        html += "</section>\n";
        pictures(&mut html, self.panels);
        html += "<section id=\"atoms\" aria-labelledby=\"h-atoms\"><h2 id=\"h-atoms\">Atoms</h2>\n";
        html += self.atoms;
        html += "<div id=\"app-table\"></div><div id=\"app-print\"></div></section>\n\
                 <section id=\"app-card\" aria-live=\"polite\"></section>\n<section id=\"app-tables\"></section>\n";
        glossary::write(&mut html);
        self.end(&mut html);
        html
    }

    fn end(&self, html: &mut String) {
        if !self.report.is_empty() {
            let _ = writeln!(
                html,
                "<section id=\"text\" aria-labelledby=\"h-text\"><h2 id=\"h-text\">Printed report</h2><details>\
                 <summary>The whole text, as report.txt has it</summary><pre tabindex=\"0\">{}</pre></details>\
                 </section>",
                text(self.report)
            );
        }
        let _ = writeln!(
            html,
            "</main>\n<footer>Made by atomscope {}. Numbers here have four digits; exact ones are in the Parquet \
             tables beside this page.</footer>",
            env!("CARGO_PKG_VERSION")
        );
        // The script stands before most of the data, so that it works before all is read.
        if let Some(data) = self.data {
            let about = escape::json(&json!(data.about).to_string());
            let _ = writeln!(
                html,
                "<script type=\"application/json\" id=\"about\">{about}</script>"
            );
            islands(html, std::slice::from_ref(&data.first));
            let _ = writeln!(html, "<script>{SCRIPT}</script>");
            islands(html, &data.later);
        }
        *html += "</body>\n</html>\n";
    }
}

fn head(html: &mut String) {
    let policy = format!(
        "default-src 'none'; script-src {} {}; style-src {}; img-src data: blob:; base-uri 'none'; form-action 'none'",
        hash_source(EARLY),
        hash_source(SCRIPT),
        hash_source(STYLE)
    );
    let _ = write!(
        html,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta \
         http-equiv=\"Content-Security-Policy\" content=\"{policy}\">\n<meta name=\"viewport\" \
         content=\"width=device-width, initial-scale=1\">\n<meta name=\"color-scheme\" content=\"light dark\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n<link rel=\"icon\" href=\"data:,\">\n\
         <title>atomscope: atoms on true and false calls</title>\n<style>{STYLE}</style>\n<script>{EARLY}</script>\n</head>\n"
    );
}

fn islands(html: &mut String, islands: &[Island]) {
    for Island { id, text } in islands {
        let _ = writeln!(
            html,
            "<script type=\"application/octet-stream\" id=\"{id}\">{text}</script>"
        );
    }
}

fn pictures(html: &mut String, panels: &[Panel]) {
    *html += "<section id=\"pictures\" aria-labelledby=\"h-pictures\"><h2 id=\"h-pictures\">Pictures</h2>\n<p \
              class=\"key\"><span class=\"swatch tp\"></span> true calls (TP), round \
              <span class=\"swatch fp\"></span> false calls (FP), square <span class=\"swatch none\"></span> not \
              claimed</p>\n<div class=\"panels\">\n";
    for panel in panels {
        let class = match panel.id {
            // What a script draws.
            "map" => "panel drawn",
            "volcano" | "crude" | "replication" => "panel canvas",
            _ => "panel",
        };
        let _ = writeln!(
            html,
            "<figure class=\"{class}\" id=\"p-{}\"><figcaption><h3>{}</h3><details><summary>What is this?</summary>\
             <p>{}</p></details></figcaption><div class=\"static\">{}</div></figure>",
            panel.id,
            text(panel.title),
            text(panel.about),
            panel.svg
        );
    }
    *html += "</div></section>\n";
}
