//! Values with their intervals, a line each.

use std::fmt::Write;

use super::{Axis, SIZE, Words, begin, tick};
use crate::report::html::escape;

/// A value with its interval; NaN at an end that is not known.
pub(in crate::report::html) struct Line {
    pub(in crate::report::html) name: String,
    /// Text to the right of it.
    pub(in crate::report::html) note: String,
    pub(in crate::report::html) value: f64,
    pub(in crate::report::html) ends: [f64; 2],
}

/// Values and intervals; a line stands at `reference`.
pub(in crate::report::html) fn ranges(words: &Words<'_>, lines: &[Line], reference: f64) -> String {
    const LINE: f64 = 22.0;
    const LEFT: f64 = 170.0;
    const RIGHT: f64 = 120.0;
    let height = LINE * lines.len() as f64 + 46.0;
    let bottom = height - 40.0;
    let all = lines
        .iter()
        .flat_map(|line| [line.value, line.ends[0], line.ends[1]]);
    let axis = Axis::of(all.chain([reference]));
    let across = |at: f64| LEFT + axis.place(at) * (SIZE[0] - LEFT - RIGHT);
    let mut svg = String::new();
    begin(&mut svg, words, height);
    for at in axis.ticks() {
        let _ = write!(
            svg,
            "<path class=\"grid\" d=\"M{0:.1} 2V{bottom}\"/><text x=\"{0:.1}\" y=\"{1}\" \
             text-anchor=\"middle\">{2}</text>",
            across(at),
            bottom + 16.0,
            tick(at)
        );
    }
    let _ = write!(
        svg,
        "<path class=\"axis\" d=\"M{:.1} 2V{bottom}\"/><text class=\"name\" x=\"{}\" y=\"{}\" \
         text-anchor=\"middle\">{}</text>",
        across(reference),
        f64::midpoint(LEFT, SIZE[0] - RIGHT),
        height - 6.0,
        escape::text(words.x)
    );
    for (number, line) in lines.iter().enumerate() {
        let y = LINE * number as f64 + 13.0;
        let [low, high] = line
            .ends
            .map(|end| if end.is_nan() { line.value } else { end });
        let name: String = line.name.chars().take(26).collect();
        let _ = write!(
            svg,
            "<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text><path class=\"interval\" \
             d=\"M{:.1} {y}H{:.1}\"/><rect class=\"estimate\" x=\"{:.1}\" y=\"{}\" width=\"7\" height=\"7\"/>\
             <text x=\"{}\" y=\"{}\">{}</text>",
            LEFT - 8.0,
            y + 4.0,
            escape::text(&name),
            across(low),
            across(high),
            across(line.value) - 3.5,
            y - 3.5,
            SIZE[0] - RIGHT + 10.0,
            y + 4.0,
            escape::text(&line.note)
        );
    }
    svg + "</svg>"
}

#[cfg(test)]
mod tests {
    use super::{Line, Words, ranges};

    #[test]
    fn ranges_of_unknown_ends_are_points() {
        let words = Words {
            title: "t",
            about: "a",
            x: "x",
            y: "",
        };
        let line = |ends| Line {
            name: "<b>".repeat(20),
            note: "n".into(),
            value: 0.5,
            ends,
        };
        let svg = ranges(
            &words,
            &[line([f64::NAN; 2]), line([0.0, f64::INFINITY])],
            0.0,
        );
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
        assert!(!svg.contains("<b>") && svg.matches("estimate").count() == 2);
    }
}
