//! Figures, and the table that shows them.

use std::io::{Write, stdout};

use serde_json::{Value, json};

use crate::clock::{Work, interleave, milliseconds, program};
use crate::series::Series;

/// The target of a figure.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Target {
    /// The ratio to the floor is at most this.
    AtMost(f64),
    /// The ratio to the floor is at least this.
    AtLeast(f64),
    /// It takes at most this many milliseconds.
    Within(f64),
    /// It takes at most this many milliseconds more than the floor.
    Adds(f64),
}

/// A measurement, with the floor of the same run.
#[derive(Debug)]
pub(crate) struct Figure {
    name: String,
    unit: &'static str,
    ours: Series,
    floor: Series,
    target: Option<Target>,
}

impl Figure {
    /// Milliseconds of ours and of the floor.
    pub(crate) fn time(name: impl Into<String>, (ours, floor): (Series, Series)) -> Self {
        Self { name: name.into(), unit: "ms", ours, floor, target: None }
    }

    /// Milliseconds of ours, with spawning `/bin/true` as the floor.
    pub(crate) fn against_true(
        name: impl Into<String>,
        rounds: usize,
        mut ours: impl FnMut() -> f64,
    ) -> Self {
        let mut spawn = Work::from(program("/bin/true", &[]));
        Self::time(name, interleave(rounds, |_| ours(), |_| milliseconds(spawn.run())))
    }

    /// A rate in the caller's unit.
    pub(crate) fn rate(name: &str, unit: &'static str, (ours, floor): (Series, Series)) -> Self {
        Self { name: name.to_owned(), unit, ours, floor, target: None }
    }

    /// Sets the target.
    pub(crate) fn must_reach(self, target: impl Into<Option<Target>>) -> Self {
        Self { target: target.into(), ..self }
    }

    /// The measurements of ours.
    pub(crate) fn ours(&self) -> &Series {
        &self.ours
    }

    fn ratio(&self) -> f64 {
        self.ours.median() / self.floor.median()
    }

    fn reached(&self) -> Option<bool> {
        Some(match self.target? {
            Target::AtMost(limit) => self.ratio() <= limit,
            Target::AtLeast(limit) => self.ratio() >= limit,
            Target::Within(limit) => self.ours.median() <= limit,
            Target::Adds(limit) => self.ours.median() - self.floor.median() <= limit,
        })
    }

    fn row(&self) -> String {
        let (low, high) = self.ours.quartiles();
        let target = match self.target {
            None => String::new(),
            Some(Target::AtMost(limit)) => format!("<= {limit:.2} x"),
            Some(Target::AtLeast(limit)) => format!(">= {limit:.2} x"),
            Some(Target::Within(limit)) => format!("<= {limit:.0} ms"),
            Some(Target::Adds(limit)) => format!("+ {limit:.0} ms"),
        };
        let verdict = self.reached().map_or("", |reached| if reached { "reached" } else { "MISSED" });
        format!(
            "{:<52} {:>10} {:<5} {:>17}  {:>10}  {:>6.2} x  {target:>9}  {verdict}",
            self.name,
            number(self.ours.median()),
            self.unit,
            format!("{} - {}", number(low), number(high)),
            number(self.floor.median()),
            self.ratio(),
        )
        .trim_end()
        .to_owned()
    }

    fn json(&self) -> Value {
        let series = |series: &Series| {
            let (low, high) = series.quartiles();
            json!({"median": series.median(), "quartiles": [low, high], "rounds": series.rounds()})
        };
        let target = self.target.map(|target| match target {
            Target::AtMost(limit) => json!({"ratio_at_most": limit}),
            Target::AtLeast(limit) => json!({"ratio_at_least": limit}),
            Target::Within(limit) => json!({"milliseconds_at_most": limit}),
            Target::Adds(limit) => json!({"milliseconds_added_at_most": limit}),
        });
        json!({
            "name": self.name,
            "unit": self.unit,
            "ours": series(&self.ours),
            "floor": series(&self.floor),
            "ratio": self.ratio(),
            "target": target,
            "reached": self.reached(),
        })
    }
}

/// The table, printed row by row.
pub(crate) struct FigureTable {
    figures: Vec<Figure>,
    json: bool,
}

impl FigureTable {
    /// A table for people, or with `json` one document for programs, printed at the end.
    pub(crate) fn new(json: bool) -> Self {
        Self { figures: Vec::new(), json }
    }

    /// A line for people.
    pub(crate) fn say(&self, text: &str) {
        if !self.json {
            // Ignores a closed pipe.
            let _ = writeln!(stdout(), "{text}");
        }
    }

    /// Begins a group of figures with the same floor.
    pub(crate) fn group(&self, title: &str, floor: &str) {
        self.say(&format!(
            "\n{:<52} {:>10} {:<5} {:>17}  {:>10}  {:>8}  {:>9}\n  floor: {floor}",
            title.to_uppercase(),
            "median",
            "",
            "quartiles",
            "floor",
            "ratio",
            "must"
        ));
    }

    /// Adds a figure.
    pub(crate) fn add(&mut self, figure: Figure) {
        self.say(&figure.row());
        self.figures.push(figure);
    }

    /// Ends the table.
    pub(crate) fn close(self, seconds: f64) {
        let missed: Vec<_> =
            self.figures.iter().filter(|it| it.reached() == Some(false)).map(|it| it.name.as_str()).collect();
        let with_target = self.figures.iter().filter(|figure| figure.reached().is_some()).count();
        self.say(&format!(
            "\n{} of {with_target} targets reached{}; {seconds:.0} s",
            with_target - missed.len(),
            if missed.is_empty() { String::new() } else { format!("; missed: {}", missed.join(", ")) },
        ));
        if self.json {
            let figures: Vec<_> = self.figures.iter().map(Figure::json).collect();
            let _ = writeln!(stdout(), "{:#}", json!({"seconds": seconds, "figures": figures}));
        }
    }
}

fn number(value: f64) -> String {
    let decimals = match value.abs() {
        large if large >= 1000.0 => 0,
        middle if middle >= 100.0 => 1,
        _ => 2,
    };
    format!("{value:.decimals$}")
}
