//! What was measured, as rows.

use serde_json::{Value, json};

/// What a figure counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Things done in a second.
    PerSecond,
    /// Milliseconds.
    Milliseconds,
    /// Nanoseconds.
    Nanoseconds,
    /// Mebibytes.
    Mebibytes,
}

impl Unit {
    fn word(self) -> &'static str {
        match self {
            Self::PerSecond => "/s",
            Self::Milliseconds => "ms",
            Self::Nanoseconds => "ns",
            Self::Mebibytes => "MiB",
        }
    }

    fn text(self, value: f64) -> String {
        match self {
            Self::PerSecond | Self::Nanoseconds => format!("{value:.0} {}", self.word()),
            Self::Milliseconds | Self::Mebibytes => format!("{value:.1} {}", self.word()),
        }
    }
}

/// What must be reached.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Goal {
    /// Figure to baseline at least this.
    AtLeast(f64),
    /// Figure to baseline at most this.
    AtMost(f64),
    /// The figure itself at most this.
    Figure(f64),
    /// Figure to baseline at most the first, the figure itself at most the second.
    Both(f64, f64),
    /// Nothing: it stands beside another row, to be compared.
    None,
}

impl Goal {
    fn met(self, figure: f64, ratio: Option<f64>) -> bool {
        let at_most = |most: f64| ratio.is_some_and(|ratio| ratio <= most);
        match self {
            Self::AtLeast(least) => ratio.is_some_and(|ratio| ratio >= least),
            Self::AtMost(most) => at_most(most),
            Self::Figure(most) => figure <= most,
            Self::Both(most, most_figure) => at_most(most) && figure <= most_figure,
            Self::None => true,
        }
    }

    fn text(self, unit: Unit) -> String {
        match self {
            Self::AtLeast(least) => format!(">= {:.0} %", least * 100.0),
            Self::AtMost(most) => format!("<= {most} x"),
            Self::Figure(most) => format!("<= {most} {}", unit.word()),
            Self::Both(most, figure) => format!("<= {most} x, <= {figure} {}", unit.word()),
            Self::None => "-".to_owned(),
        }
    }
}

/// A row of the table.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// What was measured.
    pub name: String,
    /// What figure and baseline count.
    pub unit: Unit,
    /// The median of the subject; no number if it was not measured.
    pub figure: f64,
    /// The median of the baseline, if there is one.
    pub baseline: Option<f64>,
    /// The median of the ratios, subject to baseline.
    pub ratio: Option<f64>,
    /// The least and the greatest ratio; of the figure if there is no baseline.
    pub spread: Option<(f64, f64)>,
    /// What must be reached.
    pub goal: Goal,
    /// Whether it is.
    pub met: bool,
}

impl Row {
    /// Subject and baseline of each round.
    #[must_use]
    pub fn paired(name: impl Into<String>, unit: Unit, rounds: &[(f64, f64)], goal: Goal) -> Self {
        let ratios: Vec<f64> = rounds.iter().map(|(subject, baseline)| subject / baseline).collect();
        let figure = median(rounds.iter().map(|(subject, _)| *subject));
        let ratio = Some(median(ratios.iter().copied()));
        Self {
            name: name.into(),
            unit,
            figure,
            baseline: Some(median(rounds.iter().map(|(_, baseline)| *baseline))),
            ratio,
            spread: spread(&ratios),
            goal,
            met: goal.met(figure, ratio),
        }
    }

    /// A subject without a baseline.
    #[must_use]
    pub fn alone(name: impl Into<String>, unit: Unit, rounds: &[f64], goal: Goal) -> Self {
        let figure = median(rounds.iter().copied());
        let spread = spread(rounds);
        Self { name: name.into(), unit, figure, baseline: None, ratio: None, spread, goal, met: goal.met(figure, None) }
    }

    /// What could not be measured here, because something it needs is not there.
    #[must_use]
    pub fn missing(name: impl Into<String>, unit: Unit, goal: Goal) -> Self {
        let figure = f64::NAN;
        Self { name: name.into(), unit, figure, baseline: None, ratio: None, spread: None, goal, met: false }
    }

    fn measured(&self) -> bool {
        !self.figure.is_nan()
    }

    /// Whether there is a goal, and a figure to hold against it.
    fn judged(&self) -> bool {
        self.goal != Goal::None && self.measured()
    }

    fn cells(&self) -> [String; 7] {
        let spread = self.spread.map(|(least, greatest)| match self.ratio {
            Some(_) => format!("{least:.2} .. {greatest:.2}"),
            None => format!("{} .. {}", self.unit.text(least), self.unit.text(greatest)),
        });
        let met = if self.met { "yes" } else { "NO" };
        [
            self.name.clone(),
            if self.measured() { self.unit.text(self.figure) } else { "not measured".to_owned() },
            self.baseline.map(|baseline| self.unit.text(baseline)).unwrap_or_default(),
            self.ratio.map(|ratio| format!("{ratio:.2}")).unwrap_or_default(),
            spread.unwrap_or_default(),
            self.goal.text(self.unit),
            if self.judged() { met.to_owned() } else { "-".to_owned() },
        ]
    }

    fn json(&self) -> Value {
        json!({
            "name": self.name,
            "unit": self.unit.word(),
            "figure": self.measured().then_some(self.figure),
            "baseline": self.baseline,
            "ratio": self.ratio,
            "spread": self.spread.map(|(least, greatest)| [least, greatest]),
            "goal": if self.goal == Goal::None { Value::Null } else { self.goal.text(self.unit).into() },
            "met": self.judged().then_some(self.met),
        })
    }
}

/// The rows, one JSON object each.
#[must_use]
pub fn to_json(rows: &[Row]) -> Value {
    rows.iter().map(Row::json).collect()
}

/// The table for people.
#[must_use]
pub fn render(rows: &[Row]) -> String {
    let head = ["name", "figure", "baseline", "ratio", "spread", "goal", "met"].map(str::to_owned);
    let lines: Vec<[String; 7]> = std::iter::once(head).chain(rows.iter().map(Row::cells)).collect();
    let mut widths = [0; 7];
    for line in &lines {
        for (width, cell) in widths.iter_mut().zip(line) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut text = String::new();
    for line in &lines {
        let mut cells = line.iter().zip(widths).enumerate().map(|(column, (cell, width))| match column {
            // Figures are read from their end.
            1..=3 => format!("{cell:>width$}"),
            _ => format!("{cell:<width$}"),
        });
        let first = cells.next().unwrap_or_default();
        let line = cells.fold(first, |line, cell| line + "  " + &cell);
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// The one in the middle; of an even number the mean of the two. Nothing has no median.
pub(crate) fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let half = values.len() / 2;
    let at = |place: usize| values.get(place).copied().unwrap_or(f64::NAN);
    if values.len() % 2 == 1 { at(half) } else { (at(half.wrapping_sub(1)) + at(half)) / 2.0 }
}

fn spread(values: &[f64]) -> Option<(f64, f64)> {
    let least = values.iter().copied().min_by(f64::total_cmp)?;
    let greatest = values.iter().copied().max_by(f64::total_cmp)?;
    Some((least, greatest))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::odd(&[3.0, 1.0, 2.0], 2.0)]
    #[case::even(&[4.0, 1.0, 2.0, 3.0], 2.5)]
    #[case::one(&[7.0], 7.0)]
    fn the_median_is_the_one_in_the_middle(#[case] values: &[f64], #[case] expected: f64) {
        assert_eq!(median(values.iter().copied()), expected);
    }

    #[rstest]
    #[case::fast_enough(Goal::AtLeast(0.8), 0.8, true)]
    #[case::too_slow(Goal::AtLeast(0.8), 0.79, false)]
    #[case::too_long(Goal::AtMost(2.5), 2.6, false)]
    #[case::within(Goal::Both(2.5, 30.0), 2.0, true)]
    #[case::within_but_late(Goal::Both(2.5, 19.0), 2.0, false)]
    #[case::late(Goal::Figure(19.0), 2.0, false)]
    fn a_goal_is_met_or_not(#[case] goal: Goal, #[case] ratio: f64, #[case] met: bool) {
        assert_eq!(goal.met(20.0, Some(ratio)), met);
    }

    #[test]
    fn the_ratio_is_the_median_of_the_ratios_of_each_round() {
        // The machine became twice as slow after the first round: the medians alone would say 1.0.
        let row = Row::paired("x", Unit::PerSecond, &[(100.0, 200.0), (50.0, 100.0), (50.0, 50.0)], Goal::None);
        assert_eq!((row.figure, row.baseline, row.ratio), (50.0, Some(100.0), Some(0.5)));
    }

    #[test]
    fn the_table_names_what_was_missed() {
        let rows = [
            Row::paired("signed", Unit::PerSecond, &[(790.0, 1000.0)], Goal::AtLeast(0.8)),
            Row::alone("idle memory", Unit::Mebibytes, &[24.0], Goal::Figure(25.0)),
        ];
        let table = render(&rows);
        assert_eq!(
            table,
            "name           figure  baseline  ratio  spread                goal       met\n\
             signed         790 /s   1000 /s   0.79  0.79 .. 0.79          >= 80 %    NO\n\
             idle memory  24.0 MiB                   24.0 MiB .. 24.0 MiB  <= 25 MiB  yes\n"
        );
        assert_eq!(to_json(&rows)[0]["met"], false);
    }

    #[test]
    fn what_was_not_measured_is_neither_met_nor_missed() {
        let row = [Row::missing("beside Hurl", Unit::Milliseconds, Goal::AtMost(1.5))];
        let table = render(&row);
        assert!(table.ends_with("beside Hurl  not measured                           <= 1.5 x  -\n"), "{table}");
        let told = to_json(&row);
        assert_eq!((&told[0]["figure"], &told[0]["met"]), (&Value::Null, &Value::Null));
    }
}
