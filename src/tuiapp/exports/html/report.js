// The page: charts over time that share one stretch of time and one cross hair, and the buttons.

const data = JSON.parse(document.getElementById("data").textContent);
const span = data.span;
const state = { log: true, from: 0, to: Math.max(span.end, 0.1), hover: null, drawings: [], hovers: [] };
const SHORTEST_S = 0.5;

function timeChart(parent, told) {
  const byRequest = told.kind === "requests";
  const chart = figure(parent, told.title + (told.unit ? `, ${told.unit}` : ""), "time", byRequest ? 290 : 136);
  const values = legend(chart, told);
  if (told.note) element(chart.caption, "span", "why note", told.note);
  let x, y, box, cross, dot;

  function draw() {
    clear(chart);
    box = { ...place(chart), top: byRequest ? 30 : 12 };
    x = linearScale(state.from, state.to, box.left, box.right);
    const shown = { first: Math.max(after(told.t, state.from) - 1, 0), last: Math.min(after(told.t, state.to) + 1, told.t.length) };
    y = (byRequest ? requestScale : lineScale)(told, shown, box);
    outsides();
    yAxis(chart, y, box, byRequest ? latency : short, byRequest ? 7 : 3);
    xAxis(chart, x, box, timeTicks(state.from, state.to, Math.floor((box.right - box.left) / 70)), (t) => clock(t, state.to - state.from < 5 ? 1 : 0));
    const inside = clip(chart, box);
    if (told.v) dots(inside, shown);
    if (told.cells) cells(inside);
    told.lines.forEach((line, i) => drawLine(inside, line, i, shown));
    if (told.limit) limitLine(inside);
    flags();
    cross = shape(chart.picture, "path", { class: "cross", d: "" });
    dot = shape(chart.picture, "circle", { class: "dot", r: 5, cx: -9, cy: -9 });
    hover();
  }

  function outsides() {
    if (!span.measured) return;
    for (const [from, to] of [[state.from, span.measured[0]], [span.measured[1], state.to]]) {
      const left = Math.max(x.at(from), box.left), right = Math.min(x.at(to), box.right);
      if (right - left > 0.5) shape(chart.picture, "rect", { class: "outside", x: left, width: right - left, y: box.top, height: box.bottom - box.top });
    }
  }

  function dots(inside, shown) {
    let path = "";
    for (let i = shown.first; i < shown.last; i++) path += `M${x.at(told.t[i]).toFixed(1)} ${y.at(told.v[i]).toFixed(1)}h0`;
    shape(inside, "path", { class: "dots", d: path });
  }

  // Cells of like count are one path, and darker the more requests fell into them.
  function cells(inside) {
    const [columns, rows, counts] = told.cells, levels = 7, paths = Array(levels).fill("");
    const most = Math.log(Math.max(...counts) + 1);
    counts.forEach((count, i) => {
      const left = x.at(told.start + columns[i] * told.width), right = x.at(told.start + (columns[i] + 1) * told.width);
      if (right < box.left || left > box.right) return;
      const top = y.at(told.edges[rows[i] + 1]), bottom = y.at(told.edges[rows[i]]);
      const level = Math.min(Math.floor((Math.log(count + 1) / most) * levels), levels - 1);
      paths[level] += `M${left.toFixed(1)} ${top.toFixed(1)}H${right.toFixed(1)}V${bottom.toFixed(1)}H${left.toFixed(1)}Z`;
    });
    paths.forEach((d, i) => d && shape(inside, "path", { class: "cell", opacity: 0.12 + (0.78 * (i + 1)) / levels, d }));
  }

  function drawLine(inside, line, i, shown) {
    const gap = 3.5 * usualStep(told.t);
    let path = "", area = "", start = null, last = null;
    const close = () => { if (start !== null) area += `L${last} ${box.bottom}L${start} ${box.bottom}Z`; start = null; };
    for (let k = shown.first; k < shown.last; k++) {
      const value = line.values[k];
      if (value === null) { close(); continue; }
      if (start !== null && told.t[k] - told.t[k - 1] > gap) close();
      const at = x.at(told.t[k]).toFixed(1), point = `${at} ${y.at(value).toFixed(1)}`;
      path += (start === null ? "M" : "L") + point + (start === null ? "h.01" : "");
      area += (start === null ? "M" : "L") + point;
      if (start === null) start = at;
      last = at;
    }
    close();
    const group = shape(inside, "g", { class: byRequest ? `s${2 + i}` : `s${i % 8}` });
    if (line.fill) shape(group, "path", { class: "area", d: area });
    shape(group, "path", { class: "line", d: path });
  }

  function limitLine(inside) {
    const at = y.at(told.limit);
    if (at < box.top || at > box.bottom) return;
    shape(inside, "path", { class: "limit", d: `M${box.left} ${at}H${box.right}` });
    shape(inside, "text", { class: "limit-text", x: box.right - 4, y: at - 5, "text-anchor": "end" }, `limit ${ms(told.limit)} ms`);
  }

  // Marks stand on every chart, their words and the failures on the first.
  function flags() {
    let free = -1;
    for (const [t, text] of span.marks) {
      if (t < state.from || t > state.to) continue;
      const at = x.at(t);
      shape(chart.picture, "path", { class: "mark", d: `M${at} ${box.top - (byRequest ? 8 : 0)}V${box.bottom}` });
      if (!byRequest || at < free) continue;
      const words = [...text].slice(0, 28).join("") + (text.length > 28 ? "…" : "") || "mark";
      const label = shape(chart.picture, "text", { class: "mark-text", x: at + 4, y: 12 }, `▾ ${words}`);
      free = at + 8 + label.getComputedTextLength();
      if (free > box.right) label.setAttribute("text-anchor", "end");
    }
    if (!byRequest) return;
    let path = "";
    for (const t of span.failures) if (t >= state.from && t <= state.to) path += `M${x.at(t) - 3.5} ${box.top - 8.5}l7 7m0 -7l-7 7`;
    if (path) shape(chart.picture, "path", { class: "failure", d: path });
  }

  function hover() {
    const t = state.hover;
    const away = t === null || t < state.from || t > state.to;
    cross.setAttribute("d", away ? "" : `M${x.at(t)} ${box.top}V${box.bottom}`);
    dot.setAttribute("cx", -9);
    if (byRequest && told.v) return readRequest(away ? null : t);
    const k = away ? -1 : nearest(told.t, t);
    const near = k >= 0 && Math.abs(told.t[k] - t) <= 2 * usualStep(told.t);
    told.lines.forEach((line, i) => { values.of[i].textContent = near ? " " + (byRequest ? ms : short)(line.values[k]) : ""; });
    if (told.cells) values.more.textContent = near ? `${groups(inColumn(told, t), 0)} requests at ${clock(t)}` : "";
  }

  function readRequest(t) {
    const k = t === null || !told.t.length ? -1 : pickRequest(t);
    if (k < 0 || Math.abs(told.t[k] - t) > (state.to - state.from) / 20) { values.more.textContent = ""; return; }
    dot.setAttribute("cx", x.at(told.t[k]));
    dot.setAttribute("cy", y.at(told.v[k]));
    values.more.textContent = `#${told.req[k]} at ${clock(told.t[k])}: ${ms(told.v[k])} ms, of it queue ${ms(told.queue[k])}, prefill ${ms(told.prefill[k])}`;
  }

  // The nearest dot to the pointer; from another chart or by keys, the nearest in time.
  function pickRequest(t) {
    if (state.pointer === undefined || state.over !== chart) return nearest(told.t, t);
    const reach = (state.to - state.from) / 40;
    let best = nearest(told.t, t), least = Infinity;
    for (let k = after(told.t, t - reach); k < told.t.length && told.t[k] <= t + reach; k++) {
      const far = (x.at(told.t[k]) - x.at(t)) ** 2 + (y.at(told.v[k]) - state.pointer) ** 2;
      if (far < least) { least = far; best = k; }
    }
    return best;
  }

  listen(chart, () => x, () => box);
  state.drawings.push(draw);
  state.hovers.push(hover);
}

function legend(chart, told) {
  const found = { of: [], more: null };
  told.lines.forEach((line, i) => {
    if (told.lines.length > 16) return;
    const key = element(chart.caption, "span", `legend s${told.kind === "requests" ? 2 + i : i % 8}`);
    element(key, "i");
    key.appendChild(document.createTextNode(line.name));
    found.of.push(element(key, "b"));
  });
  found.more = element(chart.caption, "output", "legend");
  return found;
}

function requestScale(told, shown, box) {
  let low = Infinity, high = 0;
  const take = (value) => { low = Math.min(low, value); high = Math.max(high, value); };
  if (told.cells) { take(told.edges[0]); take(told.edges[told.edges.length - 1]); }
  else for (let i = shown.first; i < shown.last; i++) take(told.v[i]);
  if (!(high > 0)) { low = 1; high = 10; }
  low = Math.max(low, high * 1e-7); // a broken recording may hold a latency below zero
  if (told.limit && told.limit > high && told.limit < 3 * high) high = told.limit;
  if (state.log) return logScale(low / 1.15, high * 1.15, box.bottom, box.top);
  return linearScale(0, high * 1.05, box.bottom, box.top);
}

function lineScale(told, shown, box) {
  let high = 0;
  for (const line of told.lines)
    for (let k = shown.first; k < shown.last; k++) if (line.values[k] > high) high = line.values[k];
  if (told.top && high > told.top * 0.4) high = Math.max(told.top, high);
  return linearScale(0, high * 1.06 || 1, box.bottom, box.top);
}

function clip(chart, box) {
  const id = `clip${(state.clips = (state.clips || 0) + 1)}`;
  const path = shape(shape(chart.picture, "defs", {}), "clipPath", { id });
  shape(path, "rect", { x: box.left, y: box.top - 2, width: box.right - box.left, height: box.bottom - box.top + 2 });
  return shape(chart.picture, "g", { "clip-path": `url(#${id})` });
}

function nearest(times, t) {
  const k = after(times, t);
  if (k === 0) return times.length ? 0 : -1;
  return k < times.length && times[k] - t < t - times[k - 1] ? k : k - 1;
}

function usualStep(times) {
  return times.length > 1 ? (times[times.length - 1] - times[0]) / (times.length - 1) : 1;
}

function inColumn(told, t) {
  const column = Math.floor((t - told.start) / told.width);
  return told.cells[0].reduce((sum, c, i) => sum + (c === column ? told.cells[2][i] : 0), 0);
}

// -- Pointer and keys ------------------------------------------------------------------------

function listen(chart, scale, box) {
  const picture = chart.picture;
  let start = null, brush = null;
  const moment = (event) => scale().value(Math.min(Math.max(pointed(chart, event), box().left), box().right));
  picture.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    start = moment(event);
    picture.setPointerCapture(event.pointerId);
    brush = shape(picture, "rect", { class: "brush", y: box().top, height: box().bottom - box().top, width: 0 });
  });
  picture.addEventListener("pointermove", (event) => {
    const t = moment(event);
    if (brush) {
      const [from, to] = [scale().at(start), scale().at(t)].sort((a, b) => a - b);
      brush.setAttribute("x", from);
      brush.setAttribute("width", to - from);
    }
    state.over = chart;
    state.pointer = pointedY(chart, event);
    point(t);
  });
  const drop = () => { if (brush) brush.remove(); start = brush = null; };
  picture.addEventListener("pointerup", (event) => {
    const from = start, to = moment(event);
    drop();
    if (from !== null && Math.abs(scale().at(to) - scale().at(from)) > 5) zoom(Math.min(from, to), Math.max(from, to));
  });
  picture.addEventListener("pointercancel", drop);
  picture.addEventListener("pointerleave", () => { if (!brush) point(null); });
  picture.addEventListener("dblclick", zoomLoad);
  picture.addEventListener("keydown", (event) => { if (press(event)) event.preventDefault(); });
}

function press(event) {
  const wide = state.to - state.from, t = state.hover ?? (state.from + state.to) / 2;
  state.over = null;
  if (event.key === "ArrowLeft" || event.key === "ArrowRight") {
    const step = (wide / (event.shiftKey ? 10 : 100)) * (event.key === "ArrowLeft" ? -1 : 1);
    const next = Math.min(Math.max(t + step, 0), span.end);
    if (next < state.from) zoom(next, next + wide);
    else if (next > state.to) zoom(next - wide, next);
    point(next);
  } else if (event.key === "+" || event.key === "=") zoom(t - wide / 4, t + wide / 4);
  else if (event.key === "-") zoom(t - wide, t + wide);
  else if (event.key === "Escape") { zoomLoad(); point(null); }
  else return false;
  return true;
}

function point(t) {
  state.hover = t;
  state.hovers.forEach((hover) => hover());
}

function zoom(from, to) {
  const least = Math.max(SHORTEST_S - (to - from), 0) / 2;
  state.from = Math.max(from - least, 0);
  state.to = Math.min(Math.max(to + least, state.from + SHORTEST_S), Math.max(span.end, SHORTEST_S));
  redraw();
}

function zoomLoad() {
  if (!span.measured) return zoomAll();
  const margin = (span.end - span.measured[0]) * 0.015;
  zoom(span.measured[0] - margin, span.end);
}

function zoomAll() { zoom(0, span.end); }

let planned = 0;
// Later, and once: a drawing changes the page's height, which tells the observer of its size again.
function redraw() {
  if (planned) return;
  planned = setTimeout(() => {
    planned = 0;
    document.getElementById("shown").textContent = `${clock(state.from)} – ${clock(state.to)}`;
    state.drawings.forEach((draw) => draw());
  }, 0);
}

// -- The page --------------------------------------------------------------------------------

const THEMES = ["auto", "light", "dark"];

function setTheme(name) {
  if (name === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = name;
  document.getElementById("theme").textContent = `theme: ${name}`;
}

function build() {
  const row = document.getElementById("distributions"), charts = document.getElementById("charts");
  data.distributions.forEach((told, i) => histogram(row, told, ["s0", "s1", "s3"][i], state));
  data.charts.forEach((told) => timeChart(charts, told));
  if (!data.charts.length) element(charts, "p", "none", "— nothing was recorded over time");
  document.getElementById("zoom-load").addEventListener("click", zoomLoad);
  document.getElementById("zoom-load").disabled = !span.measured;
  document.getElementById("zoom-all").addEventListener("click", zoomAll);
  document.getElementById("print").addEventListener("click", () => window.print());
  document.getElementById("theme").addEventListener("click", () => {
    setTheme(THEMES[(THEMES.indexOf(document.documentElement.dataset.theme || "auto") + 1) % THEMES.length]);
  });
  const scale = document.getElementById("scale");
  scale.addEventListener("click", () => {
    state.log = !state.log;
    scale.setAttribute("aria-pressed", state.log);
    redraw();
  });
  new ResizeObserver(redraw).observe(document.querySelector("main"));
  zoomLoad();
}

build();
