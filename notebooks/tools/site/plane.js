/* A GAN of two small networks in the plane, trained in the page: `gan_course/toy.py` with one copy, the same random
   numbers and so, but for rounding, the same run. */

import {Random, tasks} from "./gan.js";

const softplus = x => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
const sigmoid = x => 1 / (1 + Math.exp(-x));
const mean = (x, f) => x.reduce((a, b) => a + f(b), 0) / x.length;

/** A multilayer perceptron with ReLU between its layers, PyTorch's first weights, and Adam. */
class Perceptron {
  constructor(seed, sizes, rate) {
    const dice = new Random(seed);
    this.rate = rate;
    this.made = 0;  // steps of Adam
    this.layers = sizes.slice(1).map((outputs, i) => {
      const inputs = sizes[i], bound = inputs ** -0.5;
      const parameter = n => ({value: Float32Array.from({length: n}, () => (2 * dice.uniform() - 1) * bound),
        gradient: new Float32Array(n), first: new Float32Array(n), second: new Float32Array(n)});
      return {inputs, outputs, weight: parameter(inputs * outputs), bias: parameter(outputs)};
    });
  }

  /** Rows of outputs; what each layer was given is kept for `backward`. */
  forward(x) {
    this.given = [];
    for (const [i, {inputs, outputs, weight, bias}] of this.layers.entries()) {
      if (i) x = x.map(v => v > 0 ? v : 0);
      this.given.push(x);
      const rows = x.length / inputs, y = new Float32Array(rows * outputs);
      for (let r = 0; r < rows; r++) {
        const out = y.subarray(r * outputs, (r + 1) * outputs);
        out.set(bias.value);
        for (let k = 0; k < inputs; k++) {
          const v = x[r * inputs + k];
          if (v) for (let n = 0, w = k * outputs; n < outputs; n++, w++) out[n] += v * weight.value[w];
        }
      }
      x = y;
    }
    return x;
  }

  /** Gradients of the parameters (unless they are not wanted) and of the input, from that of the output. */
  backward(dy, learns = true) {
    for (let i = this.layers.length - 1; i >= 0; i--) {
      const {inputs, outputs, weight, bias} = this.layers[i], x = this.given[i], dx = new Float32Array(x.length);
      if (learns) for (const parameter of [weight, bias]) parameter.gradient.fill(0);
      for (let r = 0, rows = x.length / inputs; r < rows; r++) {
        const d = dy.subarray(r * outputs, (r + 1) * outputs);
        if (learns) for (let n = 0; n < outputs; n++) bias.gradient[n] += d[n];
        for (let k = 0; k < inputs; k++) {
          const v = x[r * inputs + k];
          if (i && !v) continue;  // ReLU lets nothing through here, in neither direction
          let total = 0;
          for (let n = 0, w = k * outputs; n < outputs; n++, w++) {
            total += d[n] * weight.value[w];
            if (learns) weight.gradient[w] += v * d[n];
          }
          dx[r * inputs + k] = total;
        }
      }
      dy = dx;
    }
    return dy;
  }

  /** Adam (Kingma and Ba 2015) with betas 0.5 and 0.999. */
  step() {
    this.made++;
    const one = 1 - 0.5 ** this.made, two = Math.sqrt(1 - 0.999 ** this.made);
    for (const {weight, bias} of this.layers) for (const {value, gradient, first, second} of [weight, bias])
      for (let i = 0; i < value.length; i++) {
        const g = gradient[i];
        first[i] = 0.5 * first[i] + 0.5 * g;
        second[i] = 0.999 * second[i] + 0.001 * g * g;
        value[i] -= this.rate / one * first[i] / (Math.sqrt(second[i]) / two + 1e-8);
      }
  }
}

/** Points of a mixture of round Gaussians. */
function sample({centres, sigmas, weights}, n, dice) {
  let total = 0;
  const sums = weights.map(w => total += w);
  const chosen = Array.from({length: n}, () => {
    const at = dice.uniform53() * total, i = sums.findIndex(s => s >= at);
    return i < 0 ? sums.length - 1 : i;
  });
  return dice.normal(2 * n).map((v, i) => centres[chosen[i >> 1]][i & 1] + sigmas[chosen[i >> 1]] * v);
}

const CELLS = 64, EXTENT = 3, POINTS = 500;

export class Plane {
  constructor({target, seed, hidden, batch, rate}) {
    Object.assign(this, {target, batch, d: 0, g: 0, lossD: NaN, lossG: NaN});
    this.G = new Perceptron(3 * seed, [2, hidden, hidden, 2], rate);
    this.D = new Perceptron(3 * seed + 1, [2, hidden, hidden, 1], rate);
    this.dice = new Random(3 * seed + 2);
    const along = i => -EXTENT + 2 * EXTENT * i / (CELLS - 1);
    this.grid = Float32Array.from({length: 2 * CELLS * CELLS}, (_, i) =>
      along(i & 1 ? Math.floor(i / 2 / CELLS) : (i >> 1) % CELLS));  // rows from below
    this.real = sample(target, POINTS, new Random(0));
  }

  latent(n) { return this.dice.normal(2 * n); }

  stepD() {
    const n = this.batch, fake = this.G.forward(this.latent(n)), both = new Float32Array(4 * n);
    both.set(sample(this.target, n, this.dice));
    both.set(fake, 2 * n);
    const logits = this.D.forward(both), real = logits.subarray(0, n), made = logits.subarray(n);
    this.lossD = mean(real, l => softplus(-l)) + mean(made, softplus);
    this.D.backward(logits.map((l, i) => (i < n ? -sigmoid(-l) : sigmoid(l)) / n));
    this.D.step();
    this.d++;
  }

  stepG(saturating) {
    const n = this.batch, logits = this.D.forward(this.G.forward(this.latent(n)));
    this.lossG = mean(logits, l => saturating ? -softplus(l) : softplus(-l));
    this.G.backward(this.D.backward(logits.map(l => -sigmoid(saturating ? l : -l) / n), false));
    this.G.step();
    this.g++;
  }

  /** How many modes hold at least 1 % of 2,000 samples within three sigmas, and the share of samples near one. */
  coverage() {
    const x = this.samples(2000), {centres, sigmas} = this.target, counts = centres.map(() => 0);
    for (let i = 0; i < x.length; i += 2) {
      const distances = centres.map(([a, b]) => Math.hypot(x[i] - a, x[i + 1] - b));
      const nearest = distances.indexOf(Math.min(...distances));
      if (distances[nearest] <= 3 * sigmas[nearest]) counts[nearest]++;
    }
    return {modes: counts.filter(c => c >= 20).length, quality: counts.reduce((a, b) => a + b, 0) / 2000};
  }

  samples(n) { return this.G.forward(new Random(12345).normal(2 * n)); }

  /** What a picture of it needs. */
  state() {
    const {d, g, lossD, lossG, real} = this;
    return {d, g, lossD, lossG, real, points: this.samples(POINTS), belief: this.D.forward(this.grid).map(sigmoid),
      ...this.coverage()};
  }
}

let plane = null;

tasks.begin = options => {
  plane = new Plane(options);
  return tasks.train({rounds: options.rounds, steps: options.d_steps, saturating: options.objective === "saturating"});
};

/** So many steps of D, then of G, then rounds of both; `steps`: of D in a round. */
tasks.train = ({d = 0, g = 0, rounds = 0, steps = 1, saturating = false}) => {
  for (let i = 0; i < d; i++) plane.stepD();
  for (let i = 0; i < g; i++) plane.stepG(saturating);
  for (let i = 0; i < rounds; i++) {
    for (let j = 0; j < steps; j++) plane.stepD();
    plane.stepG(saturating);
  }
  return plane.state();
};
