//! Plots of the page as it is without scripts, and as it is printed: SVG with one path a colour.

mod bars;
mod ranges;

use std::collections::BTreeSet;
use std::fmt::Write;

use super::escape;

pub(super) use bars::{bars, histogram};
pub(super) use ranges::{Line, ranges};

/// Width and height of a plot.
const SIZE: [f64; 2] = [520.0, 340.0];

/// The room for titles and ticks: left, right, top, bottom.
const ROOM: [f64; 4] = [64.0, 14.0, 14.0, 46.0];

/// The class of crosses over points.
pub(super) const CROSS: &str = "cross";

/// The class of squares, which stand for false calls.
const SQUARE: &str = "fp";

/// Points of one colour and shape.
pub(super) struct Series {
    /// The style's name in the page.
    pub(super) class: &'static str,
    pub(super) points: Vec<[f64; 2]>,
}

impl Series {
    pub(super) fn empty(class: &'static str) -> Self {
        Self {
            class,
            points: Vec::new(),
        }
    }
}

/// The words of a plot.
pub(super) struct Words<'a> {
    pub(super) title: &'a str,
    pub(super) about: &'a str,
    pub(super) x: &'a str,
    pub(super) y: &'a str,
}

/// The ends of an axis.
#[derive(Clone, Copy)]
struct Axis {
    low: f64,
    high: f64,
}

impl Axis {
    /// An axis for these numbers, with some room at either end.
    fn of(numbers: impl Iterator<Item = f64>) -> Self {
        let finite = numbers.filter(|number| number.is_finite());
        let ends = finite.fold([f64::INFINITY, f64::NEG_INFINITY], |[low, high], number| {
            [low.min(number), high.max(number)]
        });
        let [low, high] = if ends[0] <= ends[1] { ends } else { [0.0, 1.0] };
        let room = if high > low { (high - low) * 0.04 } else { 0.5 };
        Self {
            low: low - room,
            high: high + room,
        }
    }

    /// The place of a number, 0 to 1; numbers beyond an end stand at it.
    fn place(self, number: f64) -> f64 {
        ((number - self.low) / (self.high - self.low)).clamp(0.0, 1.0)
    }

    /// Round numbers along it.
    fn ticks(self) -> Vec<f64> {
        let rough = (self.high - self.low) / 5.0;
        let power = libm::pow(10.0, libm::floor(libm::log10(rough)));
        let step = [1.0, 2.0, 5.0, 10.0].into_iter().map(|step| step * power);
        let step = step
            .into_iter()
            .find(|step| *step >= rough)
            .unwrap_or(rough);
        let (first, last) = (
            (self.low / step).ceil() as i64,
            (self.high / step).floor() as i64,
        );
        (first..=last).take(12).map(|at| at as f64 * step).collect()
    }
}

fn across(axis: Axis, x: f64) -> f64 {
    ROOM[0] + axis.place(x) * (SIZE[0] - ROOM[0] - ROOM[1])
}

fn up(axis: Axis, y: f64) -> f64 {
    SIZE[1] - ROOM[3] - axis.place(y) * (SIZE[1] - ROOM[2] - ROOM[3])
}

/// A tick's text: as few digits as tell it.
fn tick(number: f64) -> String {
    let rounded = (number * 1e6).round() / 1e6;
    format!("{}", if rounded == 0.0 { 0.0 } else { rounded })
}

fn begin(svg: &mut String, words: &Words<'_>, height: f64) {
    let [title, about] = [words.title, words.about].map(escape::text);
    let _ = write!(
        svg,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {} {height}\" role=\"img\" \
         aria-label=\"{title}\"><title>{title}</title><desc>{about}</desc>",
        SIZE[0]
    );
}

fn frame(svg: &mut String, words: &Words<'_>, x: Option<Axis>, y: Axis) {
    let ticks = x.map(|x| x.ticks().into_iter().map(move |at| (x, at)));
    for (x, at) in ticks.into_iter().flatten() {
        let place = across(x, at);
        let (top, bottom) = (ROOM[2], SIZE[1] - ROOM[3]);
        let _ = write!(
            svg,
            "<path class=\"grid\" d=\"M{place:.1} {top}V{bottom}\"/><text x=\"{place:.1}\" y=\"{}\" \
             text-anchor=\"middle\">{}</text>",
            bottom + 16.0,
            tick(at)
        );
    }
    for at in y.ticks() {
        let place = up(y, at);
        let (left, right) = (ROOM[0], SIZE[0] - ROOM[1]);
        let _ = write!(
            svg,
            "<path class=\"grid\" d=\"M{left} {place:.1}H{right}\"/><text x=\"{}\" y=\"{:.1}\" \
             text-anchor=\"end\">{}</text>",
            left - 6.0,
            place + 4.0,
            tick(at)
        );
    }
    let (middle, height) = (f64::midpoint(SIZE[0], ROOM[0]), SIZE[1] - 8.0);
    let _ = write!(
        svg,
        "<text class=\"name\" x=\"{middle}\" y=\"{height}\" text-anchor=\"middle\">{}</text><text \
         class=\"name\" transform=\"translate(16 {}) rotate(-90)\" text-anchor=\"middle\">{}</text>",
        escape::text(words.x),
        (SIZE[1] - ROOM[3]) / 2.0,
        escape::text(words.y)
    );
}

/// Points. Where `has_diagonal`, a line stands where both are equal.
pub(super) fn scatter(words: &Words<'_>, series: &[Series], has_diagonal: bool) -> String {
    let all = || series.iter().flat_map(|series| &series.points);
    let (x, y) = (
        Axis::of(all().map(|point| point[0])),
        Axis::of(all().map(|point| point[1])),
    );
    let mut svg = String::new();
    begin(&mut svg, words, SIZE[1]);
    frame(&mut svg, words, Some(x), y);
    if x.low < 0.0 && x.high > 0.0 {
        let _ = write!(
            svg,
            "<path class=\"axis\" d=\"M{:.1} {}V{}\"/>",
            across(x, 0.0),
            ROOM[2],
            SIZE[1] - ROOM[3]
        );
    }
    if has_diagonal {
        let (low, high) = (x.low.max(y.low), x.high.min(y.high));
        let [from, to] = [low, high].map(|at| (across(x, at), up(y, at)));
        let _ = write!(
            svg,
            "<path class=\"axis\" d=\"M{:.1} {:.1}L{:.1} {:.1}\"/>",
            from.0, from.1, to.0, to.1
        );
    }
    for Series { class, points } in series {
        // Points on one place are one.
        let places: BTreeSet<(i32, i32)> = points
            .iter()
            .filter(|point| !point[0].is_nan() && !point[1].is_nan())
            .map(|point| {
                let place = |at: f64| at.round() as i32;
                (place(across(x, point[0])), place(up(y, point[1])))
            })
            .collect();
        let mut path = String::new();
        for (x, y) in places {
            let _ = match *class {
                CROSS => write!(path, "M{} {}l8 8m0 -8l-8 8", x - 4, y - 4),
                // A square without a length has no direction: PDF does not show it.
                SQUARE => write!(path, "M{x} {y}h.1"),
                _ => write!(path, "M{x} {y}h0"),
            };
        }
        let kind = if *class == CROSS { "" } else { "dot " };
        let _ = write!(svg, "<path class=\"{kind}{class}\" d=\"{path}\"/>");
    }
    svg + "</svg>"
}

#[cfg(test)]
mod tests {
    use super::{Axis, CROSS, Series, Words, scatter};

    const WORDS: Words<'static> = Words {
        title: "a<b",
        about: "c",
        x: "x",
        y: "y",
    };

    #[test]
    fn axis_ticks_are_round_and_within() {
        let axis = Axis::of([-3.2, 4.9].into_iter());
        assert_eq!(axis.ticks(), [-2.0, 0.0, 2.0, 4.0]);
        assert!(Axis::of([2.0].into_iter()).ticks().contains(&2.0));
        assert!(!Axis::of(std::iter::empty()).ticks().is_empty());
    }

    #[test]
    fn scatter_of_squares_has_no_path_without_length() {
        let points = vec![[1.0, 2.0], [3.0, 4.0]];
        let svg = scatter(
            &WORDS,
            &[Series {
                class: "fp",
                points,
            }],
            false,
        );
        assert_eq!(svg.matches("h.1").count(), 2, "{svg}");
        assert!(!svg.contains("h0"));
    }

    #[test]
    fn scatter_of_crosses_is_a_path_without_dots() {
        let points = vec![[1.0, 2.0]];
        let svg = scatter(
            &WORDS,
            &[Series {
                class: CROSS,
                points,
            }],
            false,
        );
        assert!(svg.contains("<path class=\"cross\" d=\"M"));
        assert_eq!(svg.matches("l8 8m0 -8l-8 8").count(), 1);
    }

    #[test]
    fn scatter_of_numbers_that_are_none_is_a_plot() {
        let points = vec![
            [f64::NAN, 1.0],
            [1.0, f64::INFINITY],
            [0.0, 0.0],
            [0.0, 0.0],
        ];
        let svg = scatter(
            &WORDS,
            &[Series {
                class: "tp",
                points,
            }],
            true,
        );
        assert!(svg.contains("<title>a&lt;b</title>"));
        assert_eq!(
            svg.matches("h0").count(),
            2,
            "equal points are one, NaN is none"
        );
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
    }
}
