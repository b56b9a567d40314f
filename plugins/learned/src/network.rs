//! Layers of weights, with tanh between them.
//!
//! Weights are float32. Sums are made in float64, one product after the other in the order of the inputs, the bias last, and
//! nothing is fused, so that every machine comes to the same bits; a library that adds in another order, or in float32,
//! differs from the sixth digit on. tanh is libm's, for the same reason.

/// One layer.
#[derive(Clone, Debug)]
pub(crate) struct Layer {
    /// Weights, all those of an input after the other: `weights[input * outputs + output]`.
    pub(crate) weights: Vec<f32>,
    /// One for each output.
    pub(crate) bias: Vec<f32>,
}

/// Layers, each with as many inputs as the one before it has outputs. At least one.
#[derive(Clone, Debug)]
pub(crate) struct Network(pub(crate) Vec<Layer>);

/// Memory for the values between layers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scratch {
    now: Vec<f64>,
    next: Vec<f64>,
}

impl Network {
    /// Numbers that were learned [count].
    pub(crate) fn parameters(&self) -> u64 {
        self.0.iter().map(|layer| (layer.weights.len() + layer.bias.len()) as u64).sum()
    }

    /// What the last layer says of `input`, one value an action. Weights are finite, so the values are.
    pub(crate) fn outputs<'s>(&self, input: &[f32], scratch: &'s mut Scratch) -> &'s [f64] {
        let Scratch { now, next } = scratch;
        now.clear();
        now.extend(input.iter().map(|&value| f64::from(value)));
        for (number, layer) in self.0.iter().enumerate() {
            next.clear();
            next.resize(layer.bias.len(), 0.0);
            for (&value, weights) in now.iter().zip(layer.weights.chunks_exact(layer.bias.len())) {
                for (sum, &weight) in next.iter_mut().zip(weights) {
                    *sum += value * f64::from(weight);
                }
            }
            let is_last = number + 1 == self.0.len();
            for (sum, &bias) in next.iter_mut().zip(&layer.bias) {
                *sum += f64::from(bias);
                if !is_last {
                    *sum = libm::tanh(*sum);
                }
            }
            std::mem::swap(now, next);
        }
        now
    }
}

/// The allowed index with the greatest value, the lowest of several; 0 where none is allowed. Bit i of `mask` is index i.
pub(crate) fn best(values: &[f64], mask: u32) -> usize {
    let allowed = values.iter().enumerate().take(32).filter(|(index, _)| mask >> index & 1 == 1);
    let first = allowed.reduce(|best, next| if next.1 > best.1 { next } else { best });
    first.map_or(0, |(index, _)| index)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lowest_of_equals_is_chosen_and_nothing_that_is_forbidden() {
        let values = [1.0, 5.0, 5.0, 9.0, -1.0];
        let chosen = [0b11111, 0b10111, 0b10101, 0b10000, 0b00001, 0].map(|mask| best(&values, mask));
        assert_eq!(chosen, [3, 1, 2, 4, 0, 0]);
    }

    #[test]
    fn a_layer_is_sums_in_order_and_a_bias_and_only_hidden_ones_are_bent() {
        let layer = |weights: &[f32], bias: &[f32]| Layer { weights: weights.to_vec(), bias: bias.to_vec() };
        // Two inputs, two hidden values, one output.
        let network = Network(vec![layer(&[1.0, 2.0, -3.0, 0.5], &[0.25, -0.5]), layer(&[2.0, 4.0], &[1.0])]);
        let hidden = [libm::tanh(2.0 - 1.5 + 0.25), libm::tanh(4.0 + 0.25 - 0.5)];
        let mut scratch = Scratch::default();
        assert_eq!(network.outputs(&[2.0, 0.5], &mut scratch), [hidden[0] * 2.0 + hidden[1] * 4.0 + 1.0]);
        assert_eq!(network.parameters(), 9);
    }
}
