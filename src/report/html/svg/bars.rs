//! Bars and histograms of true and false calls.

use std::fmt::Write;

use super::{Axis, ROOM, SIZE, Words, across, begin, frame, up};
use crate::report::html::escape;

/// Bars of true and of false calls, a line a category.
pub(in crate::report::html) fn bars(
    words: &Words<'_>,
    categories: &[(String, u64, u64)],
) -> String {
    const LINE: f64 = 22.0;
    const LEFT: f64 = 120.0;
    const RIGHT: f64 = 90.0;
    let height = LINE * categories.len() as f64 + 10.0;
    let most = categories
        .iter()
        .map(|(_, tp, fp)| tp.max(fp))
        .max()
        .copied()
        .unwrap_or(1)
        .max(1);
    let mut svg = String::new();
    begin(&mut svg, words, height);
    for (line, (name, tp, fp)) in categories.iter().enumerate() {
        let y = LINE * line as f64 + 4.0;
        let width = |count: u64| count as f64 / most as f64 * (SIZE[0] - LEFT - RIGHT);
        let _ = write!(
            svg,
            "<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text><rect class=\"tp\" x=\"{LEFT}\" y=\"{y}\" \
             width=\"{:.1}\" height=\"8\"/><rect class=\"fp\" x=\"{LEFT}\" y=\"{}\" width=\"{:.1}\" \
             height=\"8\"/><text x=\"{}\" y=\"{}\">{tp} · {fp}</text>",
            LEFT - 6.0,
            y + 12.0,
            escape::text(&cut(name)),
            width(*tp),
            y + 9.0,
            width(*fp),
            LEFT + width(*tp.max(fp)) + 6.0,
            y + 12.0,
        );
    }
    svg + "</svg>"
}

/// A name that fits; the end of one that does not may tell it from others, so its middle is left out.
fn cut(name: &str) -> String {
    const MOST: usize = 17;
    const END: usize = 6;
    let letters: Vec<char> = name.chars().collect();
    if letters.len() <= MOST {
        return name.to_owned();
    }
    let (begin, end) = (MOST - END - 1, letters.len() - END);
    let begin = letters.iter().take(begin);
    begin
        .chain(&['…'])
        .chain(letters.iter().skip(end))
        .collect()
}

/// A histogram of two parts a bin, the first one below; `edges` are the bins' names. A line stands at
/// `limit`, in bins.
pub(in crate::report::html) fn histogram(
    words: &Words<'_>,
    classes: [&'static str; 2],
    edges: &[String],
    counts: &[[u64; 2]],
    limit: Option<f64>,
) -> String {
    let most = counts
        .iter()
        .map(|[tp, fp]| tp + fp)
        .max()
        .unwrap_or(1)
        .max(1) as f64;
    let y = Axis {
        low: 0.0,
        high: most * 1.05,
    };
    let x = Axis {
        low: 0.0,
        high: counts.len() as f64,
    };
    let mut svg = String::new();
    begin(&mut svg, words, SIZE[1]);
    frame(&mut svg, words, None, y);
    for (at, [tp, fp]) in counts.iter().enumerate() {
        let (left, right) = (across(x, at as f64), across(x, at as f64 + 1.0));
        let mut below = 0;
        for (class, count) in classes.into_iter().zip([*tp, *fp]) {
            let (bottom, top) = (up(y, below as f64), up(y, (below + count) as f64));
            let _ = write!(
                svg,
                "<rect class=\"{class}\" x=\"{:.1}\" y=\"{top:.1}\" width=\"{:.1}\" height=\"{:.1}\"/>",
                left + 0.5,
                (right - left - 1.0).max(0.5),
                bottom - top
            );
            below += count;
        }
        if let Some(edge) = edges.get(at).filter(|edge| !edge.is_empty()) {
            let _ = write!(
                svg,
                "<text x=\"{left:.1}\" y=\"{}\" text-anchor=\"middle\">{}</text>",
                SIZE[1] - ROOM[3] + 16.0,
                escape::text(edge)
            );
        }
    }
    if let Some(limit) = limit {
        let (place, top, bottom) = (across(x, limit), ROOM[2], SIZE[1] - ROOM[3]);
        let _ = write!(
            svg,
            "<path class=\"axis\" stroke-dasharray=\"4 3\" d=\"M{place:.1} {top}V{bottom}\"/>"
        );
    }
    svg + "</svg>"
}
