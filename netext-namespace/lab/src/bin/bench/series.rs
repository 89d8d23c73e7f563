//! The measurements of many rounds, with their median and quartiles.

/// One number per round.
#[derive(Clone, Debug, Default)]
pub(crate) struct Series(Vec<f64>);

impl Series {
    pub(crate) fn push(&mut self, value: f64) {
        self.0.push(value);
    }

    /// Half of the rounds are below it.
    pub(crate) fn median(&self) -> f64 {
        self.quantile(0.5)
    }

    /// The middle half of the rounds is between them.
    pub(crate) fn quartiles(&self) -> (f64, f64) {
        (self.quantile(0.25), self.quantile(0.75))
    }

    pub(crate) fn rounds(&self) -> usize {
        self.0.len()
    }

    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    fn quantile(&self, share: f64) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        let Some(last) = sorted.len().checked_sub(1) else { return f64::NAN };
        let position = share * last as f64;
        let (below, above) = (sorted[position.floor() as usize], sorted[position.ceil() as usize]);
        below + (above - below) * position.fract()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_of_the_rounds_are_below_the_median() {
        let series = Series(vec![5.0, 1.0, 2.0, 4.0, 3.0]);
        assert!((series.median() - 3.0).abs() < 1e-9);
        assert_eq!(series.quartiles(), (2.0, 4.0));
        assert!((Series(vec![1.0, 2.0]).median() - 1.5).abs() < 1e-9);
    }
}
