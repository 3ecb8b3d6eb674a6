/* The lessons' widgets on a page. A still picture stands in `<figure data-live="{...}">`, the options beside it as the
   widget itself wrote them (`Panel.live`); when it comes near the screen, controls take its place, with the labels, the
   words and the numbers of the notebook. Where that cannot be, the picture stays. */

import {Random, serve} from "./gan.js";

// --- what is fetched: scripts, because a page that was opened from a folder may fetch nothing else -----------------------

const arrived = {}, fetched = new Map();

function load(name) {
  if (name in arrived) return arrived[name];
  if (!fetched.has(name)) fetched.set(name, new Promise((resolve, reject) => {
    const missing = () => reject(new Error(`${name} is missing or damaged beside this page: the picture stays still.`));
    const script = h("script", {src: `${name}.js`, onload: () => name in arrived ? resolve(arrived[name]) : missing(),
      onerror: missing});
    document.head.append(script);
  }));
  return fetched.get(name);
}

function picture(source) {
  if (!fetched.has(source)) fetched.set(source, new Promise((resolve, reject) => {
    const image = new Image();
    image.onload = () => resolve(image);
    image.onerror = () => reject(new Error(`${source} is missing beside this page: the picture stays still.`));
    image.src = source;
  }));
  return fetched.get(source);
}

// --- the worker ------------------------------------------------------------------------------------------------------

let worker = null, asked = 0;
const waiting = new Map();

/** What the worker answers to a task. */
function ask(task, message = {}) {
  if (!worker) {
    const source = `(${SOURCE})().serve()`;  // SOURCE: the modules beside this one, as one function
    worker = new Worker(URL.createObjectURL(new Blob([source], {type: "text/javascript"})));
    worker.onmessage = ({data: {id, answer, problem}}) => {
      const {resolve, reject} = waiting.get(id);
      waiting.delete(id);
      if (problem === undefined) resolve(answer);
      else reject(new Error(problem));
    };
  }
  return new Promise((resolve, reject) => {
    const id = asked++;
    waiting.set(id, {resolve, reject});
    worker.postMessage({id, task, ...message});
  });
}

const opened = new Map();

/** Open a run's generator, or one of its snapshots; what is known of it. */
function open(run, step) {
  const name = `runs/${run}`, file = step === undefined ? name : `${name}-${step}`;
  if (!opened.has(file)) opened.set(file, (async () => {
    const [{card}, {weights}] = [await load(name), await load(file)];
    try {
      await ask("open", {name: file, card, weights});
    } catch (error) {
      throw new Error(`The weights of ${run} cannot be used (${error.message}): the picture stays still.`);
    }
    const draw = given => ask("draw", {name: file, given});  // from latent vectors {z}, or from styles by their names
    return {...card, drawFrom: draw, draw: latents => draw(latents.map(z => ({z}))),
      value: (of, given) => ask("value", {name: file, of, given})};
  })());
  return opened.get(file);
}

// --- latent vectors, as in `gan_course/latent.py` ----------------------------------------------------------------------

function latents(n, length, seed) {
  const z = new Random(seed).normal(n * length);
  return Array.from({length: n}, (_, i) => Array.from(z.subarray(i * length, (i + 1) * length)));
}

const norm = a => Math.hypot(...a);
const dot = (a, b) => a.reduce((total, v, i) => total + v * b[i], 0);
const lerp = (a, b, t) => a.map((v, i) => v + t * (b[i] - v));

function slerp(a, b, t) {
  const long = norm(a), other = norm(b), u = a.map(v => v / long), v = b.map(w => w / other);
  const angle = 2 * Math.atan2(norm(u.map((w, i) => w - v[i])), norm(u.map((w, i) => w + v[i])));
  if (!(Math.min(angle, Math.PI - angle) >= 1e-3)) return lerp(a, b, t);
  const [p, q] = [Math.sin((1 - t) * angle), Math.sin(t * angle)].map(s => s / Math.sin(angle));
  return u.map((w, i) => (p * w + q * v[i]) * (long + t * (other - long)));
}

function onCircle(a, b, turn) {
  const part = dot(a, b) / dot(a, a), away = b.map((v, i) => v - a[i] * part), scale = norm(a) / norm(away);
  return a.map((v, i) => v * Math.cos(2 * Math.PI * turn) + away[i] * scale * Math.sin(2 * Math.PI * turn));
}

// --- controls --------------------------------------------------------------------------------------------------------

function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

const thousands = n => n.toLocaleString("en-US");
const percent = share => `${Math.round(100 * share)}%`;
const signed = x => `${x < 0 ? "-" : "+"}${Math.abs(x).toFixed(1)}`;

let controls = 0;

function control(label, input, ...more) {
  input.id = `control-${++controls}`;
  const box = h("div", {class: "control"}, h("label", {for: input.id}, label), input, ...more);
  Object.defineProperty(box, "value", {get: () => input.value});
  Object.defineProperty(box, "number", {get: () => {
    if (!input.checkValidity() || input.value === "")  // of a text field, which takes anything
      throw new Error(`${label} ${input.value}: a whole number from ${thousands(+input.min)} to ${thousands(+input.max)} works`);
    return Number(input.value);
  }});
  const changed = () => input.dispatchEvent(new Event("input"));
  return Object.assign(box, {input, set(value) { input.value = value; changed(); }, up() { input.stepUp(); changed(); }});
}

function slider(label, value, min, max, step = 1) {
  const decimals = `${step}`.split(".")[1]?.length ?? 0, shown = h("output", {}, Number(value).toFixed(decimals));
  const input = h("input", {type: "range", min, max, step, value});
  input.addEventListener("input", () => { shown.textContent = Number(input.value).toFixed(decimals); });
  return control(label, input, shown);
}

function choice(label, options, value) {
  const select = h("select", {}, ...options.map(option => {
    const [name, key] = [option].flat();
    return h("option", {value: key ?? name}, name);
  }));
  select.value = value;
  return control(label, select);
}

const field = (label, value) => control(label, h("input", {type: "number", min: 0, max: 2 ** 31 - 1, step: 1, value}));
const button = (label, press, kind = "") => h("button", {type: "button", class: kind, onclick: press}, label);

/** A play button for a slider of whole numbers, and how fast. */
function player(target, interval) {
  let timer = null;
  const speed = choice("speed", [["slow", 1000], ["normal", 400], ["fast", 150]], 400);
  const play = button("play", () => timer === null ? start() : stop());
  const stop = () => { clearTimeout(timer); timer = null; play.textContent = "play"; };
  const tick = () => {
    timer = setTimeout(tick, interval ?? Number(speed.value));
    if (target.number >= Number(target.input.max) || !target.checkVisibility()) stop();
    else target.set(target.number + 1);
  };
  const start = () => {
    if (target.number >= Number(target.input.max)) target.set(target.input.min);
    play.textContent = "pause";
    timer = setTimeout(tick, interval ?? Number(speed.value));
  };
  return {play, speed};
}

/** Rows of controls, a picture, and words in the place of a still picture; `ready` once they are there.

    `render` reads the controls, and then returns [element, words]. A burst of events is drawn a few times, its last state
    always. `above`: the words stand between controls and picture. */
function panel(figure, rows, render, above = false) {
  const stage = h("div", {class: "stage", role: "img"}), words = h("p", {class: "words", role: "status"});
  let busy = false, again = false, shown = false;
  const say = (text, alert = false) => {
    words.setAttribute("role", alert ? "alert" : "status");
    words.textContent = text;
  };
  const refresh = async () => {
    again = true;
    if (busy) return;
    busy = true;
    try {
      while (again) {
        again = false;
        const [element, alt] = await render();
        if (element) stage.replaceChildren(element);
        stage.setAttribute("aria-label", alt);
        say(alt);
        const below = above ? [words, stage] : [stage, words];
        if (!shown) figure.replaceChildren(...rows.map(row => h("div", {class: "row"}, ...row)), ...below);
        shown = true;
        await new Promise(resolve => setTimeout(resolve));
      }
    } catch (error) {
      if (shown) say(error.message, true);
      else excuse(figure, error);
    } finally {
      busy = false;
    }
  };
  for (const one of rows.flat()) one.input?.addEventListener("input", refresh);
  return {refresh, say, stage, ready: refresh()};
}

function excuse(figure, error) {
  figure.querySelector(".excuse")?.remove();
  figure.append(h("p", {class: "excuse", role: "status"}, error.message));
}

// --- pictures --------------------------------------------------------------------------------------------------------

const GAP = 2;  // white pixels between pictures; null is a white picture

/** Pictures as a grid, each enlarged by a whole number to about `side` pixels. */
function grid(pictures, across, side = 84) {
  const {width: w, height: k} = pictures.find(one => one), scale = Math.max(1, Math.round(side / w));
  const canvas = h("canvas", {width: across * (w + GAP) + GAP,
    height: Math.ceil(pictures.length / across) * (k + GAP) + GAP});
  const context = canvas.getContext("2d");
  context.fillStyle = "#fff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  for (const [i, one] of pictures.entries()) {
    const x = GAP + i % across * (w + GAP), y = GAP + Math.floor(i / across) * (k + GAP);
    if (one) context.putImageData(new ImageData(one.data, w, k), x, y);
  }
  canvas.style.width = `${canvas.width * scale}px`;
  return canvas;
}

const inDeck = () => document.querySelector(".deck");
const columns = pictures => Math.min(pictures, innerWidth < 600 ? 3 : inDeck() ? 4 : 6);

/** One of the pictures that stand side by side in a strip. */
function cut(strip, i, n) {
  const width = strip.naturalWidth / n, canvas = h("canvas", {width, height: strip.naturalHeight});
  canvas.getContext("2d").drawImage(strip, -i * width, 0);
  return canvas;
}

const BLUE = "#0072B2", RED = "#D55E00", GREEN = "#007A5A", GREY = "#6B6B6B";

function ticks(low, high, about) {
  const rough = (high - low) / about, ten = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map(k => k * ten).find(k => k >= rough), found = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + 1e-9 * step; i++) found.push(i * step);
  return found;
}

const short = x => Math.abs(x) >= 1e6 ? `${+(x / 1e6).toPrecision(6)}M` : Math.abs(x) >= 1e3
  ? `${+(x / 1e3).toPrecision(6)}k` : `${+x.toPrecision(6)}`;

/** Curves as SVG. `lines`: {x, y, colour, label, faint}; `time`: where a grey line stands; `level`: a dotted one; `wide`:
    it is one of three or more, so that its letters have to be larger. */
function chart({title, lines, end, low, high, time, level, about, wide}) {
  const em = !inDeck() ? 15 : wide ? 29 : 22, legend = lines.filter(line => line.label).length > 1;
  const W = 320, H = 250, [left, right, top, bottom] = [2.7 * em, 1.4 * em, (legend ? 3 : 2) * em, (about ? 3.2 : 1.8) * em];
  const X = x => left + x / end * (W - left - right), Y = y => H - bottom - (y - low) / (high - low) * (H - top - bottom);
  const line = (x1, y1, x2, y2, more) => `<path d="M${x1} ${y1}L${x2} ${y2}" fill="none" ${more}/>`;
  const text = (x, y, words, more = "") => `<text x="${x}" y="${y}" ${more}>${words}</text>`;
  let svg = text(left, 1.1 * em, title, 'class="title"'), at = left;
  if (legend) for (const {label, colour} of lines) if (label) {
    svg += text(at, 2.4 * em, label, `fill="${colour}"`);
    at += em * (1 + 0.62 * label.length);
  }
  for (const x of ticks(0, end, em < 20 ? 4 : 2)) svg += line(X(x), top, X(x), H - bottom, 'class="rule"')
    + text(X(x), H - bottom + 1.3 * em, short(x), 'text-anchor="middle"');
  for (const y of ticks(low, high, em < 20 ? 5 : 3)) svg += line(left, Y(y), W - right, Y(y), 'class="rule"')
    + text(left - 0.4 * em, Y(y) + 0.35 * em, short(y), 'text-anchor="end"');
  if (about) svg += text((left + W - right) / 2, H - 0.4 * em, about, 'text-anchor="middle"');
  if (level !== undefined) svg += line(left, Y(level), W - right, Y(level), `stroke="${GREY}" stroke-dasharray="2 4"`);
  if (time !== undefined) svg += line(X(time), top, X(time), H - bottom, `stroke="${GREY}"`);
  for (const {x, y, colour, faint} of lines) {
    const points = [];
    for (let i = 0; i < y.length; i++) if (Number.isFinite(y[i]))
      points.push(`${X(x[i]).toFixed(1)} ${Y(Math.min(high, Math.max(low, y[i]))).toFixed(1)}`);
    if (points.length) svg += `<path d="M${points.join("L")}" fill="none" stroke="${colour}" ${
      faint ? 'opacity=".18"' : 'stroke-width="2"'}/>`;
  }
  const box = h("div", {class: "chart"});
  box.innerHTML = `<svg viewBox="0 0 ${W} ${H}" font-size="${em}" aria-hidden="true">${svg}</svg>`;
  return box;
}

const finite = lists => lists.flat().filter(Number.isFinite);
const highest = values => values.reduce((a, b) => Math.max(a, b), -Infinity);
const lowest = values => values.reduce((a, b) => Math.min(a, b), Infinity);

// --- the widgets -----------------------------------------------------------------------------------------------------

const WIDGETS = {};

WIDGETS.explorer = async (figure, options) => {
  const {run, runs, start, pictures, seed, directions} = options, turn = figure.turn = (figure.turn ?? 0) + 1;
  const card = await open(run), length = card.latent_dim, known = {};
  if (turn !== figure.turn) return;  // another run was chosen meanwhile
  card.directions.forEach((v, i) => { known[`found ${i + 1}`] = v; });
  Object.assign(known, directions);
  for (let i = 0; i < length; i++) known[`dimension ${i}`] = Array.from({length}, (_, j) => Number(i === j));
  const along = start.map((name, i) => choice(`along (${i + 1})`, Object.keys(known), name));
  const by = start.map((_, i) => slider(`by (${i + 1})`, 0, -4, 4, 0.1)), draws = field("seed", seed);
  let drawn = seed;
  const save = button("save picture", () => {
    const small = own.stage.querySelector("canvas"), scale = 4;
    const large = h("canvas", {width: small.width * scale, height: small.height * scale}), to = large.getContext("2d");
    to.imageSmoothingEnabled = false;
    to.drawImage(small, 0, 0, large.width, large.height);
    const name = `${run}-seed${drawn}.png`;
    h("a", {href: large.toDataURL(), download: name}).click();
    own.say(`saved as ${name}`);
  });
  const last = [draws, button("other latents", draws.up),
    button("reset", () => by.forEach(one => one.set(0))), save];
  if (runs) {
    const other = choice("generator", runs, run);
    other.input.addEventListener("input", () => WIDGETS.explorer(figure, {...options, run: other.value, seed: draws.value})
      .then(() => figure.querySelector(".last select").focus(), error => {
        other.input.value = run;
        excuse(figure, error);
      }));
    other.classList.add("last");
    last.unshift(other);
  }
  const own = panel(figure, [...along.map((one, i) => [one, by[i]]), last], async () => {
    const from = draws.number, z = latents(pictures, length, from);
    for (const [i, one] of along.entries()) for (const v of z) known[one.value].forEach((d, j) => { v[j] += by[i].number * d; });
    const moved = along.flatMap((one, i) => by[i].number ? [`${one.value} by ${signed(by[i].number)}`] : []).join(", ");
    const where = moved ? `moved along ${moved}` : "where they were drawn";
    drawn = from;
    return [grid(await card.draw(z), columns(pictures), pictures > 1 ? 84 : 256),
      `${pictures} pictures of ${run}, latents of seed ${from}, ${where}.`];
  });
  return own.ready;
};

WIDGETS.writer = async (figure, {run, typed, hands, seed}) => {
  const MOST = 24, DIGITS = "0123456789", card = await open(run);
  const own = control("number", h("input", {type: "text", value: typed, maxlength: MOST})), draws = field("seed", seed);
  const by = choice("written by", ["one hand: the same z for all", "many hands: a z for each"], hands);
  panel(figure, [[own, button("write again", draws.up)], [by, draws]], async () => {
    const letters = [...own.value], digits = letters.filter(c => DIGITS.includes(c)), many = by.value.startsWith("many");
    if (!digits.length) throw new Error(`type digits, at least one and at most ${MOST}`);
    const from = draws.number, z = latents(many ? MOST : 1, card.latent_dim - DIGITS.length, from);
    const written = await card.draw(digits.map((c, i) => [...z[many ? i : 0], ...[...DIGITS].map(d => Number(d === c))]));
    const across = letters.length <= 12 ? letters.length : Math.ceil(letters.length / 2);
    return [grid(letters.map(c => DIGITS.includes(c) ? written.shift() : null), across, 56), `The number ${letters.join("")} as `
      + `${run} writes it, ${many ? "each digit from a latent of its own" : "all digits from one latent"}, seed ${from}.`];
  });
};

WIDGETS.mixer = async (figure, {run, seeds, first, psi, measured}) => {
  const card = await open(run), layers = card.styles.length;
  const [coarse, fine] = ["coarse", "fine"].map((label, i) => field(label, seeds[i]));
  const taken = slider("layers that follow the coarse one", first, 0, layers), drawn = slider("truncation ψ", psi, 0, 1.5, 0.05);
  const kept = new Map();  // pictures of one style, which a move of the first slider leaves as they are
  panel(figure, [[coarse, fine], [taken, drawn]], async () => {
    const from = [coarse.number, fine.number], count = taken.number, psi = drawn.number;
    const styles = await Promise.all(from.map(async seed => {
      const w = await card.value(card.styles[0], {z: latents(1, card.latent_dim, seed)[0]});
      return w.map((v, i) => card.mean[i] + psi * (v - card.mean[i]));
    }));
    const mixed = which => card.drawFrom([Object.fromEntries(card.styles.map((name, i) => [name, styles[which(i)]]))]);
    const alone = from.map((seed, i) => {
      const key = `${seed} ${psi}`;
      if (!kept.has(key)) kept.set(key, mixed(() => i));
      return kept.get(key);
    });
    const pictures = (await Promise.all([alone[0], mixed(i => Number(i >= count)), alone[1]])).flat();
    const near = measured.find(([known]) => Math.abs(known - psi) < 0.001);
    const about = near ? ` Measured there: precision ${near[1].toFixed(2)}, recall ${near[2].toFixed(2)}.` : "";
    return [grid(pictures, 3, 160), `In the middle ${count} of ${layers} layers follow the face at the left, the rest that `
      + `at the right; psi is ${psi.toFixed(2)}.${about}`];
  });
};

WIDGETS.interpolator = async (figure, {run, seeds}) => {
  const STEPS = 60, card = await open(run), four = seeds.length === 4;
  const walks = {"slerp: along the arc": slerp, "lerp: straight": lerp};
  const across = slider("across", STEPS / 2, 0, STEPS), down = slider("down", STEPS / 2, 0, STEPS);
  const walk = choice("walk", Object.keys(walks), "slerp: along the arc");
  const fields = seeds.map((seed, i) => field(`anchor ${i + 1}`, seed));
  panel(figure, [[player(across, 100).play, across, ...four ? [down] : []], [walk, ...fields]], async () => {
    const way = walks[walk.value], ends = fields.map(one => latents(1, card.latent_dim, one.number)[0]);
    const [x, y] = [across.number / STEPS, down.number / STEPS];
    const [a, b] = four ? [way(ends[0], ends[2], y), way(ends[1], ends[3], y)] : ends, z = way(a, b, x);
    const words = `In the middle the picture ${percent(x)} across${four ? `, ${percent(y)} down` : ""} between ${ends.length} `
      + `anchors by ${walk.value.split(":")[0]}; the norm of its latent is ${norm(z).toFixed(1)}, `
      + `the anchors' are ${ends.map(end => norm(end).toFixed(1)).join(", ")}.`;
    const made = await card.draw([...ends, z]), here = made.pop();
    return [grid(four ? [made[0], null, made[1], null, here, null, made[2], null, made[3]] : [made[0], here, made[1]], 3, 160), words];
  });
};

WIDGETS.scrubber = async (figure, {run, pictures, seed}) => {
  const STEPS = 40, {snapshots, seen, latent_dim: length} = (await load(`runs/${run}`)).card, end = snapshots.length - 1;
  const time = slider("training time", end, 0, end), walk = slider("latent", 0, 0, STEPS), draws = field("seed", seed);
  const {play, speed} = player(time);
  panel(figure, [[play, time, speed], [walk, draws]], async () => {
    const i = time.number, at = walk.number, all = latents(2 * pictures, length, draws.number), turn = at % STEPS / STEPS;
    const card = await open(run, snapshots[i]);
    const z = all.slice(0, pictures).map((a, j) => onCircle(a, all[pictures + j], turn));
    return [grid(await card.draw(z), columns(pictures)), `${pictures} pictures of ${run} after ${
      thousands(seen[i])} images (step ${thousands(snapshots[i])}), ${percent(at / STEPS)} of the way around.`];
  });
};

WIDGETS.player = async (figure, {run}) => {
  const {strip: source, words, seen, before, goal, rows} = await load(`runs/${run}-replay`), last = words.length - 1;
  const strip = await picture(source), time = slider("time", last, 0, last), {play, speed} = player(time);
  const by = steps => time.set(time.number + steps);
  const curves = (names, n) => {
    const window = Math.max(1, Math.floor(n / 50)), raw = [], smooth = [];
    for (const [name, label, colour] of names) {
      const x = rows.images.slice(0, n), y = rows[name].slice(0, n), mean = [];
      for (let i = 0, sum = 0; i < n; i++) {
        sum += y[i] - (i < window ? 0 : y[i - window]);
        if (i >= window - 1) mean.push(sum / window);
      }
      raw.push({x, y, colour, faint: true});
      smooth.push({x: x.slice(window - 1), y: mean, colour, label});
    }
    return [...raw, ...smooth];
  };
  panel(figure, [[play, button("step back", () => by(-1)), button("step on", () => by(1)), speed, time]], () => {
    const i = time.number, n = before[i], about = "real images seen";
    const losses = curves([["loss_d", "D", BLUE], ["loss_g", "G", RED]], n);
    const scores = curves([["d_real", "D(x)", BLUE], ["d_fake", "D(G(z))", RED]], n);
    const loss = finite(losses.map(line => line.y)), score = finite(scores.map(line => line.y));
    const box = h("div", {class: "standing"}, h("div", {class: "seen"}, h("p", {}, `after ${thousands(seen[i])} images`),
      cut(strip, i, words.length)),
      chart({title: "losses", lines: losses, end: goal, low: Math.min(0, lowest(loss)), high: Math.max(1, highest(loss)), about}),
      chart({title: "mean score", lines: scores, end: goal, about, level: 0.5,
        low: Math.min(0, lowest(score)), high: Math.max(1, highest(score))}));
    return [box, words[i]];
  });
  figure.addEventListener("keydown", event => {
    if (event.target.matches("select, input")) return;
    if (event.key === " " && !event.target.matches("button")) play.click();
    else if (event.key === "ArrowLeft") by(-1);
    else if (event.key === "ArrowRight") by(1);
    else return;
    event.preventDefault();
  });
};

WIDGETS.calculator = (figure, options) => {
  const kind = choice("layer", ["convolution", "transposed convolution"],
    options.transposed ? "transposed convolution" : "convolution");
  const numbers = [["input", "n", 1, 28], ["kernel", "kernel", 1, 7], ["stride", "stride", 1, 4], ["padding", "padding", 0, 3]]
    .map(([label, name, low, high]) => slider(label, options[name], low, high));
  return panel(figure, [[kind], numbers], () => {
    const [n, k, s, p] = numbers.map(one => one.number), turned = kind.value !== "convolution", told = `k${k} s${s} p${p}`;
    const size = turned ? (n - 1) * s - 2 * p + k : Math.floor((n + 2 * p - k) / s) + 1;
    const wrong = turned ? size < 1 && `padding ${p} cuts away all ${size + 2 * p} outputs: less works`
      : n + 2 * p < k && `a kernel of ${k} does not fit into ${n} pixels with padding ${p}: a kernel of at most ${n + 2 * p} does`;
    if (wrong) return [h("p", {}, wrong), `${n} inputs, ${told}: ${wrong}`];
    const reaches = (o, i) => turned ? i * s - p <= o && o < i * s - p + k : o * s - p <= i && i < o * s - p + k;
    const deck = inDeck(), W = deck ? 640 : Math.max(240, Math.min(640, figure.clientWidth - 50)), H = 200;
    const at = (i, of) => (i + 0.5) / of * W;
    const counts = Array.from({length: size}, (_, o) => Array.from({length: n}, (_, i) => reaches(o, i)).filter(Boolean).length);
    const [few, most] = [lowest(counts), highest(counts)], square = (x, y, fill, opacity = 1) =>
      `<rect x="${x - 4}" y="${y - 4}" width="8" height="8" fill="${fill}" opacity="${opacity}"/>`;
    let svg = "";
    for (let o = 0; o < size; o++) for (let i = 0; i < n; i++) if (reaches(o, i))
      svg += `<path d="M${at(i, n)} 20L${at(o, size)} 160" class="reach"/>`;
    for (let i = 0; i < n; i++) svg += square(at(i, n), 20, BLUE);
    for (let o = 0; o < size; o++) svg += square(at(o, size), 160, RED, 0.25 + 0.75 * (counts[o] - few + 1) / (most - few + 1))
      + (W / size < (deck ? 22 : 14) ? "" : `<text x="${at(o, size)}" y="186" text-anchor="middle" font-size="${deck ? 22 : 13}">${counts[o]}</text>`);
    const name = turned ? "transposed convolution" : "convolution", box = h("div", {class: "sizes"});
    box.innerHTML = `<p>${name}, ${told}: ${n} → ${size}</p><svg viewBox="0 0 ${W} ${H}" aria-hidden="true">${svg}</svg>`;
    return [box, `A ${name} with ${told} makes ${size} outputs of ${n} inputs; inputs that reach each output: ${
      counts.join(", ")}.`];
  });
};

WIDGETS.ward = async (figure, {seed}) => {
  const {cases, runs, diagnoses} = await load(`ward/ward-${seed}`), answers = new Map(), UNDECIDED = "choose";
  let place = 0;
  const times = runs[cases[0].run].spread.length, time = slider("time", times - 1, 0, times - 1);
  const toggles = [UNDECIDED, ...diagnoses].map(name => {
    const input = h("input", {type: "radio", name: "diagnosis", value: name});
    return Object.assign(h("label", {}, input, name), {radio: input});
  });
  const radios = toggles.map(one => one.radio);
  const answer = () => {  // what was committed to stays chosen
    const given = answers.get(cases[place].key);
    for (const radio of radios) Object.assign(radio, {checked: radio.value === (given ?? UNDECIDED), disabled: Boolean(given)});
  };
  answer();
  const seen = (run, i) => Math.floor(run.images.at(-1) * (i + 1) / times);
  const described = (run, i) => {
    const now = Math.floor((i + 1) * run.images.length / times), mean = name => {
      const values = finite(run.curves[name].slice(Math.max(0, now - 5), now));
      return values.reduce((a, b) => a + b, 0) / values.length;
    };
    return `After ${thousands(seen(run, i))} of ${thousands(run.images.at(-1))} images D's loss is ${mean("loss_d").toFixed(2)}, `
      + `G's ${mean("loss_g").toFixed(2)}, D(x) ${mean("d_real").toFixed(2)}, D(G(z)) ${mean("d_fake").toFixed(2)}; D is right `
      + `on ${percent(mean("right"))}. The pictures differ from each other ${run.spread[i].toFixed(2)} times as much as real ones.`;
  };
  const row = async (title, name, i) => {
    const run = runs[name], {curves, images} = run, end = images.at(-1), at = seen(run, i);
    const line = (column, colour, label) => ({x: images, y: curves[column], colour, label}), wide = true;
    const loss = finite([curves.loss_d, curves.loss_g]), scores = finite([curves.d_real, curves.d_fake]);
    const within = lowest(scores) >= 0 && highest(scores) <= 1;
    return h("div", {class: "standing"},
      h("div", {class: "seen"}, h("p", {}, title), cut(await picture(`ward/${name}.webp`), i, times)),
      chart({title: "losses", lines: [line("loss_d", BLUE, "D"), line("loss_g", RED, "G")], end, time: at, wide,
        low: Math.min(0, lowest(loss)), high: Math.max(lowest(loss) < 0 ? -Infinity : 2, highest(loss))}),
      chart({title: "mean score", lines: [line("d_real", BLUE, "D(x)"), line("d_fake", RED, "D(G(z))")], end, time: at, wide,
        low: within ? 0 : lowest(scores), high: within ? 1 : highest(scores)}),
      chart({title: "D is right", lines: [line("right", GREEN, "share of images")], end, time: at, wide, low: 0, high: 1, level: 0.5}));
  };
  const commit = button("commit", () => {
    const chosen = radios.find(radio => radio.checked).value;
    if (answers.has(cases[place].key)) own.say("You have committed to a diagnosis here: on to the next case.", true);
    else if (chosen === UNDECIDED) own.say("Choose a diagnosis first: it is worth more before you know.", true);
    else {
      answers.set(cases[place].key, chosen);
      answer();
      own.refresh();
    }
  }, "d");
  const next = button("next case", () => {
    place = (place + 1) % cases.length;
    answer();
    time.set(times - 1);
  });
  const own = panel(figure, [[time], [h("fieldset", {}, h("legend", {}, "diagnosis"), ...toggles)], [commit, next]], async () => {
    const one = cases[place], given = answers.get(one.key), i = time.number, shown = h("div");
    const words = [`Case ${place + 1} of ${cases.length}: ${one.told}.`], stands = described(runs[one.run], i);
    shown.append(await row(`case ${place + 1}: ${one.told}`, one.run, i));
    if (given) {
      const right = cases.filter(c => answers.get(c.key) === c.diagnosis).length;
      words.push(`${given === one.diagnosis ? "Right:" : `You said ${given}; it is`} ${one.diagnosis}. ${one.reason} What was done: ${
        one.changed}.`);
      if (one.cured) {
        shown.append(await row("cured, the same seed", one.cured, i));
        words.push(`Cured by: ${one.cure}. The cured run: ${described(runs[one.cured], i)}`);
      }
      words.push(`Score: ${right} of ${answers.size}.`);
    }
    return [shown, [...words, stands].join(" ")];
  }, true);
};

WIDGETS.plane = (figure, options) => {
  const presses = choice("steps a press", [1, 10, 50], 1), rounds = choice("D steps a round", [1, 5], 1);
  const objective = choice("G's objective", ["non-saturating", "saturating"], options.objective), seed = field("seed", options.seed);
  const settings = () => ({steps: Number(rounds.value), saturating: objective.value === "saturating"});
  let state = null, wanted = Promise.resolve(), waiting = 0, playing = false, own = null;
  const run = (task, message) => {  // one after the other; who presses faster than it trains is not kept waiting for long
    if (waiting > 2 && task === "train") return wanted;
    waiting++;
    return wanted = wanted.then(async () => {
      state = await ask(task, {...settings(), ...message});
      waiting--;
      return own?.refresh();
    });
  };
  const train = what => () => run("train", Object.fromEntries([[what, Number(presses.value)]]));
  const playOrPause = (on = !playing) => {
    playing = on;
    play.textContent = playing ? "pause" : "play";
  };
  const play = button("play", async () => {
    playOrPause();
    while (playing) {
      await run("train", {rounds: 5});
      await new Promise(resolve => setTimeout(resolve, 100));
      if (!play.checkVisibility()) playOrPause(false);
    }
  });
  const reset = button("reset", () => {
    playOrPause(false);
    try {
      run("begin", {...options, rounds: 0, seed: seed.number});
    } catch (error) {
      own.say(error.message, true);
    }
  });
  const buttons = [button("step D", train("d"), "d"), button("step G", train("g"), "g"), button("both", train("rounds"))];
  return run("begin", options).then(() => {
    own = panel(figure, [[...buttons, presses, rounds], [play, objective, seed, reset]], () => {
      const {d, g, modes, quality, lossD, lossG} = state, of = options.target.centres.length;
      const losses = [["D", lossD], ["G", lossG]].map(([who, loss]) => Number.isNaN(loss) ? "" : `, ${who}'s loss ${loss.toFixed(2)}`);
      return [h("div", {class: "plane"}, drawn(state), h("p", {}, `steps made: D ${d}, G ${g}`)),
        `Steps made: D ${d}, G ${g}. ${modes} of ${of} modes covered, ${percent(quality)} of the samples near a mode${
          losses.join("")}. Real points blue, generated ones orange, D's belief as the colour behind them.`];
    });
  });
};

/** The plane: D's belief in ten colours, real and generated points above it. */
function drawn({belief, real, points}) {
  const CELLS = 64, EXTENT = 3, SIDE = 432, canvas = h("canvas", {width: SIDE, height: SIDE}), context = canvas.getContext("2d");
  const colours = Array.from({length: 10}, (_, i) => {
    const t = i / 9 * 2, [from, to, u] = t < 1 ? [[237, 165, 131], [255, 255, 255], t] : [[255, 255, 255], [134, 188, 224], t - 1];
    return from.map((v, k) => v + u * (to[k] - v));
  });
  const image = context.createImageData(SIDE, SIDE);
  for (let y = 0, o = 0; y < SIDE; y++) {
    const v = (SIDE - 1 - y) / (SIDE - 1) * (CELLS - 1), i = Math.min(CELLS - 2, Math.floor(v)), a = v - i;
    for (let x = 0; x < SIDE; x++, o += 4) {
      const u = x / (SIDE - 1) * (CELLS - 1), j = Math.min(CELLS - 2, Math.floor(u)), b = u - j, p = i * CELLS + j;
      const here = (belief[p] * (1 - b) + belief[p + 1] * b) * (1 - a) + (belief[p + CELLS] * (1 - b) + belief[p + CELLS + 1] * b) * a;
      image.data.set(colours[Math.min(9, Math.floor(here * 10))], o);
      image.data[o + 3] = 255;
    }
  }
  context.putImageData(image, 0, 0);
  for (const [all, colour, radius] of [[real, "#0072B28c", 2.2], [points, RED, 2.6]]) {
    context.fillStyle = colour;
    for (let i = 0; i < all.length; i += 2) {
      context.beginPath();
      context.arc((all[i] / EXTENT + 1) / 2 * SIDE, (1 - all[i + 1] / EXTENT) / 2 * SIDE, radius, 0, 7);
      context.fill();
    }
  }
  return canvas;
}

// --- the page --------------------------------------------------------------------------------------------------------

globalThis.ganCourse = {Random, ask, modules: SOURCE, receive: (name, value) => { arrived[name] = value; }};

if (typeof Worker === "function" && typeof IntersectionObserver === "function") {
  const near = new IntersectionObserver(entries => {
    for (const {target, isIntersecting} of entries) if (isIntersecting) {
      near.unobserve(target);
      const {widget, ...options} = JSON.parse(target.dataset.live);
      Promise.resolve(WIDGETS[widget]?.(target, options)).catch(error => excuse(target, error));
    }
  }, {rootMargin: "400px"});
  for (const figure of document.querySelectorAll("figure[data-live]")) near.observe(figure);
}
