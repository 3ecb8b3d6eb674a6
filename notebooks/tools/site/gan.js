/* A published generator, computed in a browser: weights from safetensors, one latent vector in, one picture out.

   `operations.py` notes what PyTorch did to make one picture, and a Network does the same. What depends on weights alone
   is computed once, when it is opened, and BatchNorm is folded into the layer before it. Convolutions gather what each
   output needs and multiply matrices, in WebAssembly where there is some. No framework, no network, no DOM. */

// --- random numbers, those that PyTorch draws on a CPU from the same seed --------------------------------------------

/** Mersenne Twister (Matsumoto and Nishimura 1998), and the two distributions as ATen makes them of it. */
export class Random {
  constructor(seed) {
    const state = this.state = new Uint32Array(624);
    state[0] = seed;
    for (let i = 1; i < 624; i++) state[i] = Math.imul(1812433253, state[i - 1] ^ (state[i - 1] >>> 30)) + i;
    this.place = 624;
  }

  /** A whole number from 0 to 2^32 - 1. */
  next() {
    const s = this.state;
    if (this.place === 624) {
      for (let i = 0; i < 624; i++) {
        const y = (s[i] & 0x80000000) | (s[(i + 1) % 624] & 0x7fffffff);
        s[i] = s[(i + 397) % 624] ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0);
      }
      this.place = 0;
    }
    let y = s[this.place++];
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return (y ^ (y >>> 18)) >>> 0;
  }

  /** In [0, 1), of single precision. */
  uniform() { return (this.next() & 0xffffff) / 0x1000000; }

  /** In [0, 1), of double precision. */
  uniform53() {
    const high = this.next() & 0x1fffff;
    return (high * 0x100000000 + this.next()) / 0x20000000000000;
  }

  /** n numbers from N(0, 1), n from 16 on: Box and Muller, 16 at a time; the last 16 overlap. */
  normal(n) {
    const x = new Float32Array(n), fill = begin => {
      for (let j = begin; j < begin + 8; j++) {
        const radius = Math.sqrt(-2 * Math.log(1 - x[j])), angle = 2 * Math.PI * x[j + 8];
        x[j] = radius * Math.cos(angle);
        x[j + 8] = radius * Math.sin(angle);
      }
    };
    for (let i = 0; i < n; i++) x[i] = this.uniform();
    for (let i = 0; i + 16 <= n; i += 16) fill(i);
    if (n % 16) {
      for (let i = n - 16; i < n; i++) x[i] = this.uniform();
      fill(n - 16);
    }
    return x;
  }
}

// --- weights ---------------------------------------------------------------------------------------------------------

const BYTES = {F32: 4, F16: 2, I8: 1, I64: 8};

/** The tensors of a safetensors file by name, 8-bit rows multiplied by their scales. Throws where it is damaged. */
export function read(buffer) {
  const view = new DataView(buffer), length = Number(view.getBigUint64(0, true)), found = {};
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 8, length)));
  delete header.__metadata__;
  for (const [name, {dtype, shape, data_offsets: [from, to]}] of Object.entries(header)) {
    const n = shape.reduce((a, b) => a * b, 1), at = 8 + length + from;
    if (!(dtype in BYTES) || to - from !== n * BYTES[dtype] || 8 + length + to > buffer.byteLength)
      throw new Error(`${name} is damaged`);
    const number = i => dtype === "F32" ? view.getFloat32(at + 4 * i, true) : dtype === "F16"
      ? half(view.getUint16(at + 2 * i, true)) : Number(view.getBigInt64(at + 8 * i, true));
    const data = dtype === "I8" ? new Float32Array(new Int8Array(buffer, at, n)) : new Float32Array(n);
    if (dtype !== "I8") for (let i = 0; i < n; i++) data[i] = number(i);
    found[name] = tensor(data, shape);
  }
  for (const name of Object.keys(found).filter(name => `${name}.scale` in found)) {
    const {data, shape} = found[name], scale = found[`${name}.scale`].data, row = data.length / shape[0];
    for (let r = 0, i = 0; r < shape[0]; r++) for (const end = i + row; i < end; i++) data[i] *= scale[r];
    delete found[`${name}.scale`];
  }
  return found;
}

function half(bits) {
  const sign = bits & 0x8000 ? -1 : 1, exponent = (bits >> 10) & 31, fraction = bits & 1023;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (exponent ? 2 ** (exponent - 15) * (1 + fraction / 1024) : 2 ** -24 * fraction);
}

// --- tensors: numbers, a shape, and how far apart neighbours along each axis lie ---------------------------------------

function tensor(data, shape, strides = rowMajor(shape)) { return {data, shape, strides}; }

function rowMajor(shape) {
  const strides = new Array(shape.length);
  for (let i = shape.length - 1, n = 1; i >= 0; n *= shape[i--]) strides[i] = n;
  return strides;
}

const size = shape => shape.reduce((a, b) => a * b, 1);
const from = (axis, rank) => axis < 0 ? axis + rank : axis;
const permuted = ({data, shape, strides}, order) =>
  tensor(data, order.map(i => shape[i]), order.map(i => strides[i]));

/** The numbers in row-major order. */
function plain(x) {
  return x.strides.every((s, i) => s === rowMajor(x.shape)[i] || x.shape[i] === 1) ? x : each([x], a => a);
}

function view(x, shape) {
  const known = shape.reduce((a, b) => b < 0 ? a : a * b, 1), n = size(x.shape);
  return tensor(plain(x).data, shape.map(s => s < 0 ? n / known : s));
}

/** f of one or two tensors, element by element, axes of length 1 repeated as need be. */
function each(inputs, f) {
  const rank = Math.max(...inputs.map(x => x.shape.length)), shape = new Array(rank).fill(1);
  for (const x of inputs) x.shape.forEach((s, i) => { if (s !== 1) shape[i + rank - x.shape.length] = s; });
  const [a, b = a] = inputs, out = new Float32Array(size(shape)), place = new Array(rank).fill(0);
  const steps = [a, b].map(x => shape.map((_, i) => {
    const j = i - rank + x.shape.length;
    return j < 0 || x.shape[j] === 1 ? 0 : x.strides[j];
  }));
  const last = shape[rank - 1] ?? 1, [sa, sb] = steps.map(s => s[rank - 1] ?? 0);
  for (let o = 0, i = 0, j = 0; o < out.length;) {
    for (let k = 0, p = i, q = j; k < last; k++, p += sa, q += sb) out[o++] = f(a.data[p], b.data[q]);
    for (let axis = rank - 2; axis >= 0; axis--) {  // on to the next row
      i += steps[0][axis];
      j += steps[1][axis];
      if (++place[axis] < shape[axis]) break;
      i -= steps[0][axis] * shape[axis];
      j -= steps[1][axis] * shape[axis];
      place[axis] = 0;
    }
  }
  return tensor(out, shape);
}

/** f of every number; memory stays laid out as it is. */
function map({data, shape, strides}, f) {
  const out = new Float32Array(data.length);
  for (let i = 0; i < out.length; i++) out[i] = f(data[i]);
  return tensor(out, shape, strides);
}

const both = (a, b, f) => typeof b === "number" ? map(a, x => f(x, b)) : typeof a === "number" ? map(b, y => f(a, y))
  : each([a, b], f);

function sum(x, axes, keep) {
  const rank = x.shape.length, gone = new Set((axes?.length ? axes : [...x.shape.keys()]).map(i => from(i, rank)));
  const stay = [...x.shape.keys()].filter(i => !gone.has(i));
  const rows = plain(permuted(x, [...stay, ...gone])), n = size([...gone].map(i => x.shape[i]));
  const out = new Float32Array(rows.data.length / n);
  for (let i = 0; i < rows.data.length; i++) out[Math.floor(i / n)] += rows.data[i];
  return tensor(out, keep ? x.shape.map((s, i) => gone.has(i) ? 1 : s) : stay.map(i => x.shape[i]));
}

// --- products of matrices, which nearly all the time goes into ------------------

/** B [K, N], given by a function of (k, n), as panels of four columns; missing columns are 0. */
function panels(K, N, at) {
  const B = new Float32Array(K * (N + 3 & ~3));
  for (let n = 0; n < N; n++) for (let k = 0; k < K; k++) B[((n >> 2) * K + k) * 4 + (n & 3)] = at(k, n);
  return {B, K, N};
}

/** A small WebAssembly module, put together here: dot products of four rows of A with four columns of B at once.

    Its one function takes the addresses of the four rows, of the panel and of the 16 results, and K > 0. Null where the
    browser has no such instructions. */
const blocks = (() => {
  const get = i => [0x20, i], set = i => [0x21, i], plus = (i, n) => [...get(i), 0x41, n, 0x6a, ...set(i)];
  const sums = [7, 8, 9, 10], panel = 4, result = 5, left = 6, four = 11;  // parameters are 0 to 6
  const body = [1, 5, 0x7b,  // five variables of four floats
    0x03, 0x40,  // a loop
    ...get(panel), 0xfd, 0, 4, 0, ...set(four),
    ...sums.flatMap((sum, row) => [...get(sum), ...get(row), 0xfd, 9, 2, 0, ...get(four), 0xfd, 0xe6, 1, 0xfd, 0xe4, 1,
      ...set(sum), ...plus(row, 4)]),  // sum += its row's number, four times, * the four of B
    ...plus(panel, 16), ...plus(left, 0x7f), ...get(left), 0x0d, 0, 0x0b,  // once less; again unless none is left
    ...sums.flatMap((sum, row) => [...get(result), ...get(sum), 0xfd, 11, 4, 16 * row]), 0x0b];
  const section = (id, bytes) => [id, ...size7(bytes.length), ...bytes], size7 = n => [n & 127 | 128, n >> 7];
  const bytes = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, ...section(1, [1, 0x60, 7, ...new Array(7).fill(0x7f), 0]),
    ...section(2, [1, 1, 0x65, 1, 0x6d, 2, 0, 1]), ...section(3, [1, 0]), ...section(7, [1, 1, 0x66, 0, 0]),
    ...section(10, [1, ...size7(body.length), ...body])];
  try {
    const memory = new WebAssembly.Memory({initial: 1}), module = new WebAssembly.Module(Uint8Array.from(bytes));
    return {memory, run: new WebAssembly.Instance(module, {e: {m: memory}}).exports.f};
  } catch {
    return null;
  }
})();

/** The first `length` numbers of an array that `multiply` may be given as A; the next call overwrites them.

    In WebAssembly's memory lie 16 results, A, three rows that may be read beyond its end, and B. */
function scratch(length, K, ofB) {
  if (!blocks) return new Float32Array(length);
  const pages = Math.ceil(4 * (16 + length + 3 * K + ofB + 4) / 65536) - blocks.memory.buffer.byteLength / 65536;
  if (pages > 0) blocks.memory.grow(pages);
  return new Float32Array(blocks.memory.buffer, 64);
}

/** A [rows, K] (row-major, from `scratch`) times B, plus a bias a column; row r of the result begins at out[begins[r]].

    Four rows by four columns at a time: a number that is read serves four products. */
function multiply(A, rows, {B, K, N}, bias, out, begins) {
  const last = rows - 1, block = new Float32Array(16), begin = (16 + rows * K + 3 * K + 3) & ~3;
  const found = blocks ? new Float32Array(blocks.memory.buffer, 0, 16) : block;
  if (blocks) new Float32Array(blocks.memory.buffer).set(B, begin);
  for (let n = 0; n < N; n += 4) {
    const columns = Math.min(4, N - n);
    for (let r = 0; r < rows; r += 4) {
      if (!K) found.fill(0);
      else if (blocks) {
        const a = 64 + 4 * r * K;
        blocks.run(a, a + 4 * K, a + 8 * K, a + 12 * K, 4 * (begin + n * K), 0, K);
      } else dots(A, r * K, Math.min(r + 1, last) * K, Math.min(r + 2, last) * K, Math.min(r + 3, last) * K, B, n * K, K, found);
      for (let i = 0, end = Math.min(4, rows - r); i < end; i++)
        for (let j = 0, o = begins[r + i] + n; j < columns; j++) out[o + j] = found[4 * i + j] + (bias ? bias[n + j] : 0);
    }
  }
}

/** `blocks` in JavaScript. */
function dots(A, p0, p1, p2, p3, B, b, K, found) {
  let c00 = 0, c01 = 0, c02 = 0, c03 = 0, c10 = 0, c11 = 0, c12 = 0, c13 = 0;
  let c20 = 0, c21 = 0, c22 = 0, c23 = 0, c30 = 0, c31 = 0, c32 = 0, c33 = 0;
  for (const end = p0 + K; p0 < end; b += 4) {
    const w0 = B[b], w1 = B[b + 1], w2 = B[b + 2], w3 = B[b + 3];
    let x = A[p0++];
    c00 += x * w0; c01 += x * w1; c02 += x * w2; c03 += x * w3;
    x = A[p1++];
    c10 += x * w0; c11 += x * w1; c12 += x * w2; c13 += x * w3;
    x = A[p2++];
    c20 += x * w0; c21 += x * w1; c22 += x * w2; c23 += x * w3;
    x = A[p3++];
    c30 += x * w0; c31 += x * w1; c32 += x * w2; c33 += x * w3;
  }
  found.set([c00, c01, c02, c03, c10, c11, c12, c13, c20, c21, c22, c23, c30, c31, c32, c33]);
}

/** A convolution with given weights, as a function of its input [1, C, H, W].

    An output pixel y reads the input pixels y s - p + k. Of a transposed one, input pixel j writes to j s - p + k: the
    outputs with the same remainder of (y + p) / s are reached by the same places of the kernel, a phase each. */
function convolution(weight, bias, stride, padding, transposed) {
  const [outer, inner, height, width] = weight.shape, [s0, s1, s2, s3] = weight.strides;
  const [channels, N, sc, sn] = transposed ? [outer, inner, s0, s1] : [inner, outer, s1, s0];
  const along = (length, axis) => {  // an axis's phases: first output, its step, the input's, places of the kernel
    const s = stride[axis], p = padding[axis], places = Array.from({length}, (_, k) => k);
    if (!transposed) return [{first: 0, step: 1, reads: s, taps: places.map(k => ({k, at: k - p}))}];
    return Array.from({length: s}, (_, r) => ({first: r - p, step: s, reads: 1,
      taps: places.filter(k => k % s === r).map((k, t) => ({k, at: -t}))}));
  };
  const phases = along(height, 0).flatMap(y => along(width, 1).map(x => {
    const taps = y.taps.flatMap(v => x.taps.map(h => ({dy: v.at, dx: h.at, w: v.k * s2 + h.k * s3})));
    return {y, x, taps, B: panels(taps.length * channels, N, (k, n) =>
      weight.data[taps[Math.floor(k / channels)].w + k % channels * sc + n * sn])};
  }));
  const b = bias && plain(bias).data;
  const length = (n, k, axis) => transposed ? (n - 1) * stride[axis] - 2 * padding[axis] + k
    : Math.floor((n + 2 * padding[axis] - k) / stride[axis]) + 1;
  return ({data, shape: [, , H, W], strides: [, ic, ih, iw]}) => {
    const h = length(H, height, 0), w = length(W, width, 1), out = new Float32Array(h * w * N);
    const all = (axis, end) => {  // the outputs of a phase, and where their windows begin
      const found = [];
      for (let a = Math.ceil(-axis.first / axis.step); axis.first + a * axis.step < end; a++)
        found.push([axis.first + a * axis.step, a * axis.reads]);
      return found;
    };
    for (const {y, x, taps, B} of phases) {
      const ys = all(y, h), xs = all(x, w), rows = ys.length * xs.length, begins = new Uint32Array(rows);
      const A = scratch(rows * B.K, B.K, B.B.length);
      let at = 0, row = 0;
      for (const [oy, iy] of ys) for (const [ox, ix] of xs) {
        begins[row++] = (oy * w + ox) * N;
        for (const {dy, dx} of taps) {
          const v = iy + dy, u = ix + dx;
          if (v < 0 || v >= H || u < 0 || u >= W) A.fill(0, at, at += channels);
          else for (let c = 0, i = v * ih + u * iw; c < channels; c++, i += ic) A[at++] = data[i];
        }
      }
      multiply(A, rows, B, b, out, begins);
    }
    return tensor(out, [1, N, h, w], [out.length, 1, w * N, N]);
  };
}

/** x [rows, K] times a matrix [K, N], plus a bias, as a function of x. */
function linear(matrix, bias) {
  const {data, shape: [K, N], strides: [sk, sn]} = matrix, B = panels(K, N, (k, n) => data[k * sk + n * sn]);
  const b = bias && plain(bias).data;
  return x => {
    const rows = x.shape[0], out = new Float32Array(rows * N);
    const A = scratch(rows * K, K, B.B.length);
    A.set(plain(x).data.subarray(0, rows * K));
    multiply(A, rows, B, b, out, Uint32Array.from({length: rows}, (_, i) => i * N));
    return tensor(out, [rows, N]);
  };
}

// --- what networks are made of; names and arguments are those of ATen ---------------------------------------------------

const same = a => a.self;
const OPERATIONS = {
  view: a => view(a.self, a.size), _unsafe_view: a => view(a.self, a.size),
  clone: same, detach: same, lift_fresh_copy: same, _to_copy: same,
  t: a => permuted(a.self, [1, 0]), permute: a => permuted(a.self, a.dims.map(d => from(d, a.self.shape.length))),
  unsqueeze: ({self, dim}) => view(self, self.shape.toSpliced(from(dim, self.shape.length + 1), 0, 1)),
  expand: ({self, size: wanted}) => each([self, tensor(new Float32Array(1), wanted.map(s => s < 0 ? 1 : s),
    wanted.map(() => 0))], x => x),
  add: a => both(a.self, a.other, (x, y) => x + a.alpha * y),
  mul: a => both(a.self, a.other, (x, y) => x * y),
  pow: a => map(a.self, x => x ** a.exponent),
  rsqrt: a => map(a.self, x => 1 / Math.sqrt(x)),
  relu: a => map(a.self, x => x > 0 ? x : 0),
  leaky_relu: a => map(a.self, x => x > 0 ? x : x * a.negative_slope),
  tanh: a => map(a.self, Math.tanh),
  sum: a => sum(a.self, a.dim, a.keepdim),
  mean: a => { const s = sum(a.self, a.dim, a.keepdim), n = size(a.self.shape) / size(s.shape); return map(s, x => x / n); },
  mm: a => linear(a.mat2)(a.self),
  addmm: a => linear(a.mat2, a.self)(a.mat1),
  convolution: a => convolution(a.weight, a.bias, a.stride, a.padding, a.transposed)(a.input),
  native_batch_norm: a => {
    const {scale, shift} = affine(a), across = v => view(v, a.input.shape.map((s, i) => i === 1 ? s : 1));
    return both(both(a.input, across(scale), (x, y) => x * y), across(shift), (x, y) => x + y);
  },
  upsample_nearest2d: a => upsampled(a, false), upsample_bilinear2d: a => upsampled(a, true),
};

/** What BatchNorm does to a channel in evaluation: x times a scale, plus a shift. */
function affine({weight, bias, running_mean, running_var, eps}) {
  const scale = each([weight, running_var], (w, v) => w / Math.sqrt(v + eps));
  return {scale, shift: each([bias, each([running_mean, scale], (m, s) => m * s)], (b, m) => b - m)};
}

function upsampled({self, output_size: [h, w]}, between) {
  const [, channels, H, W] = self.shape, {data, strides: [, c, y, x]} = self;
  const places = (n, to) => Array.from({length: to}, (_, i) => {
    if (!between) return [Math.floor(i * n / to), 0, 0];
    const at = Math.max(0, (i + 0.5) * n / to - 0.5), first = Math.min(n - 1, Math.floor(at));
    return [first, Math.min(n - 1, first + 1), at - first];
  });
  const out = new Float32Array(h * w * channels), across = places(W, w);
  let o = 0;
  for (const [y0, y1, v] of places(H, h)) for (const [x0, x1, u] of across) for (let i = 0; i < channels; i++) {
    const above = data[i * c + y0 * y + x0 * x] * (1 - u) + u * data[i * c + y0 * y + x1 * x];
    const below = data[i * c + y1 * y + x0 * x] * (1 - u) + u * data[i * c + y1 * y + x1 * x];
    out[o++] = above * (1 - v) + v * below;
  }
  return tensor(out, [1, channels, h, w], [out.length, 1, w * channels, channels]);
}

// --- a network -------------------------------------------------------------------------------------------------------

const inputs = step => Object.entries(step).filter(([key, value]) => typeof value === "string" && key !== "op");
const ready = (step, values) => inputs(step).every(([, name]) => values.has(name));
const matrix = step => ({convolution: "weight", addmm: "mat2", mm: "mat2"})[step.op];

/** A generator, opened: `steps` and `constants` as `operations.py` writes them, `tensors` as `read` returns them. */
export class Network {
  constructor({steps, constants}, tensors) {
    const known = this.known = new Map(Object.entries(tensors));
    for (const [name, {shape, data}] of Object.entries(constants)) known.set(name, tensor(new Float32Array(data), shape));
    this.program = [];
    for (const {out, ...step} of steps) {
      if (!(step.op in OPERATIONS)) throw new Error(`this page cannot compute ${step.op}`);
      if (ready(step, known)) known.set(out, OPERATIONS[step.op](this.filled(step, known)));
      else if (!this.folded(step, out)) this.program.push({step, out});
    }
    this.last = steps[steps.length - 1].out;
    for (const one of this.program) {
      const {step} = one, given = this.filled(step, known), weights = given[matrix(step)];
      if (!matrix(step) || typeof weights === "string") continue;
      const [read, layer] = step.op === "convolution"
        ? ["input", convolution(weights, given.bias, step.stride, step.padding, step.transposed)]
        : step.op === "addmm" ? ["mat1", linear(weights, given.self)] : ["self", linear(weights)];
      one.layer = values => layer(values.get(step[read]));
    }
  }

  /** A step with tensors in place of those names that have a value. */
  filled(step, values) {
    const named = inputs(step).map(([key, name]) => [key, values.get(name) ?? name]);
    return {...step, ...Object.fromEntries(named)};
  }

  /** Whether a step was a BatchNorm right after a layer, and is part of its weights now. */
  folded(step, out) {
    const before = this.program[this.program.length - 1];
    if (step.op !== "native_batch_norm" || before?.out !== step.input || !this.known.has(before.step[matrix(before.step)]))
      return false;
    const {scale, shift} = affine(this.filled(step, this.known)), layer = before.step, key = matrix(layer);
    const weights = this.known.get(layer[key]), product = (x, y) => x * y;
    const axis = layer.op === "convolution" && !layer.transposed ? 0 : 1;
    this.known.set(`${out}.weights`, each([weights, view(scale, weights.shape.map((_, i) => i === axis ? -1 : 1))], product));
    const name = layer.op === "convolution" ? "bias" : "self", old = this.known.get(layer[name]);
    this.known.set(`${out}.bias`, old ? each([each([old, scale], product), shift], (x, y) => x + y) : shift);
    Object.assign(layer, {[key]: `${out}.weights`, [name]: `${out}.bias`});
    before.out = out;
    return true;
  }

  /** A tensor by its name, from others: name -> numbers. */
  value(name, given) {
    const values = new Map(this.known);
    for (const [key, row] of Object.entries(given)) values.set(key, tensor(Float32Array.from(row), [1, row.length]));
    for (const {step, out, layer} of this.program) {
      if (values.has(name)) break;
      if (!values.has(out) && ready(step, values))
        values.set(out, layer ? layer(values) : OPERATIONS[step.op](this.filled(step, values)));
    }
    return values.get(name);
  }

  /** The picture of a latent vector {z}, or of styles: {width, height, data: RGBA}. */
  draw(given) {
    const {data, shape: [, channels, height, width], strides: [, c, h, w]} = this.value(this.last, given);
    const rgba = new Uint8ClampedArray(height * width * 4).fill(255);
    for (let y = 0, o = 0; y < height; y++) for (let x = 0; x < width; x++, o += 4) for (let i = 0; i < 3; i++)
      rgba[o + i] = Math.round((data[y * h + x * w + (channels === 1 ? 0 : i * c)] + 1) * 127.5);
    return {width, height, data: rgba};
  }
}

// --- at work beside the page -----------------------------------------------------------------------------------------

const opened = new Map();

/** What the worker does: task -> function of the message; other modules add theirs. */
export const tasks = {
  open({name, card, weights}) {
    const text = atob(weights), bytes = new Uint8Array(text.length);
    for (let i = 0; i < bytes.length; i++) bytes[i] = text.charCodeAt(i);
    opened.set(name, new Network(card, read(bytes.buffer)));
  },
  draw: ({name, given}) => given.map(one => opened.get(name).draw(one)),
  value: ({name, of, given}) => Array.from(opened.get(name).value(of, given).data),
};

/** Answer messages {id, task, ...} with {id, answer} or {id, problem}. */
export function serve() {
  onmessage = ({data}) => {
    try {
      postMessage({id: data.id, answer: tasks[data.task](data)});
    } catch (error) {
      postMessage({id: data.id, problem: error.message});
    }
  };
}
