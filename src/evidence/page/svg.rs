//! Shapes of a chart. It is 1000 wide and 240 high whatever it shows, and is stretched to its place: so no text is in it.

use std::fmt::Write as _;

use super::series::Step;

/// Units from left to right.
const WIDTH: f64 = 1000.0;
/// Units from the top to the bottom.
const HEIGHT: f64 = 240.0;
/// The least width of a bar that can be seen.
const THINNEST: f64 = 1.5;

/// Shapes, the lowest first.
pub(super) struct Drawing {
    /// The value at the upper edge; the lower edge is 0.
    top: f64,
    shapes: String,
}

impl Drawing {
    /// Nothing yet but lines at the values that are labelled.
    pub(super) fn new(top: f64) -> Self {
        let mut drawing = Self { top, shapes: String::new() };
        for share in [0.0, 0.5, 1.0] {
            let y = HEIGHT * share;
            drawing.push(&format!("<path class=\"grid\" d=\"M0 {y:.1}H{WIDTH}\"/>"));
        }
        drawing
    }

    fn push(&mut self, shape: &str) {
        self.shapes.push_str(shape);
        self.shapes.push('\n');
    }

    fn height_of(&self, value: f64) -> f64 {
        (value / self.top).clamp(0.0, 1.0) * HEIGHT
    }

    /// A line that goes level over every step and is broken where there is no value.
    pub(super) fn line(&mut self, class: &str, steps: &[Step]) {
        let (mut path, mut pen) = (String::new(), None);
        for step in steps {
            let Some(value) = step.value else {
                pen = None;
                continue;
            };
            let (left, right, y) = (step.left * WIDTH, step.right * WIDTH, HEIGHT - self.height_of(value));
            // What begins where the last ended goes on from there. Writing to a String cannot fail.
            let joins = pen.is_some_and(|end: f64| (end - left).abs() < 0.5);
            let _ =
                if joins { write!(path, "V{y:.1}H{right:.1}") } else { write!(path, "M{left:.1} {y:.1}H{right:.1}") };
            pen = Some(right);
        }
        if !path.is_empty() {
            self.push(&format!("<path class=\"{class}\" d=\"{path}\"/>"));
        }
    }

    /// A bar for every value above 0.
    pub(super) fn bars(&mut self, class: &str, steps: &[Step]) {
        for step in steps {
            let Some(value) = step.value.filter(|value| *value > 0.0) else { continue };
            let width = ((step.right - step.left) * WIDTH).max(THINNEST);
            let height = self.height_of(value).max(THINNEST);
            self.bar(class, step.left * WIDTH, width, height);
        }
    }

    fn bar(&mut self, class: &str, left: f64, width: f64, height: f64) {
        let top = HEIGHT - height;
        let left = left.min(WIDTH - width).max(0.0);
        self.push(&format!(
            "<rect class=\"{class}\" x=\"{left:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" height=\"{height:.1}\"/>"
        ));
    }

    /// A hatched band over the whole height, from one share of the width to another.
    pub(super) fn band(&mut self, left: f64, right: f64) {
        let width = ((right - left) * WIDTH).max(THINNEST);
        self.bar("gap", left * WIDTH, width, HEIGHT);
    }

    /// An upright line.
    pub(super) fn edge(&mut self, place: f64) {
        let x = place * WIDTH;
        self.push(&format!("<path class=\"edge\" d=\"M{x:.1} 0V{HEIGHT}\"/>"));
    }

    /// The picture, with what it shows in words for those who do not see it. Both texts are harmless already.
    pub(super) fn finish(self, id: &str, title: &str, told: &str) -> String {
        format!(
            "<svg role=\"img\" aria-labelledby=\"{id}-title {id}-told\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" \
             preserveAspectRatio=\"none\">\n<title id=\"{id}-title\">{title}</title>\n<desc id=\"{id}-told\">{told}</desc>\n{}</svg>",
            self.shapes
        )
    }
}

/// The pattern of what is hatched, once for the whole page.
pub(super) const PATTERN: &str = "<svg aria-hidden=\"true\" width=\"0\" height=\"0\" class=\"patterns\"><defs>\
    <pattern id=\"hatch\" width=\"8\" height=\"8\" patternUnits=\"userSpaceOnUse\"><path d=\"M0 8L8 0\"/></pattern></defs></svg>\n";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_broken_where_there_is_no_value() {
        let step = |left, value| Step { left, right: left + 0.25, value };
        let mut drawing = Drawing::new(10.0);
        drawing.line("value", &[step(0.0, Some(5.0)), step(0.25, Some(10.0)), step(0.5, None), step(0.75, Some(0.0))]);
        assert!(drawing.shapes.contains("d=\"M0.0 120.0H250.0V0.0H500.0M750.0 240.0H1000.0\""), "{}", drawing.shapes);
    }
}
