// Drawing: every chart is SVG made anew when its data, its size or its scale change.

const SVG = document.getElementById("seed").namespaceURI;
const EDGE = { left: 52, right: 14, top: 16, bottom: 22 };

function shape(parent, name, attributes, text) {
  const made = document.createElementNS(SVG, name);
  for (const key in attributes) made.setAttribute(key, attributes[key]);
  if (text !== undefined) made.textContent = text;
  parent.appendChild(made);
  return made;
}

function element(parent, name, look, text) {
  const made = document.createElement(name);
  if (look) made.className = look;
  if (text !== undefined) made.textContent = text;
  parent.appendChild(made);
  return made;
}

// A figure with a title, a line to read values in, and an empty picture.
function figure(parent, title, look, height) {
  const box = element(parent, "figure", look);
  const caption = element(box, "figcaption");
  element(caption, "strong", "", title);
  const picture = shape(box, "svg", { class: "chart", tabindex: 0, role: "img", "aria-label": title });
  return { box, caption, picture, height, width: 0 };
}

function clear(chart) {
  chart.width = Math.max(chart.box.clientWidth, 240);
  chart.picture.setAttribute("viewBox", `0 0 ${chart.width} ${chart.height}`);
  chart.picture.replaceChildren();
}

function place(chart) {
  return { left: EDGE.left, right: chart.width - EDGE.right, top: EDGE.top, bottom: chart.height - EDGE.bottom };
}

function yAxis(chart, scale, box, words, most = 4) {
  for (const value of scale.ticks(most)) {
    const y = scale.at(value);
    shape(chart.picture, "path", { class: "grid", d: `M${box.left} ${y}H${box.right}` });
    shape(chart.picture, "text", { x: box.left - 7, y: y + 4, "text-anchor": "end" }, words(value));
  }
}

function xAxis(chart, scale, box, ticks, words) {
  shape(chart.picture, "path", { class: "axis", d: `M${box.left} ${box.bottom}H${box.right}` });
  for (const value of ticks) {
    const x = scale.at(value);
    if (x < box.left - 1 || x > box.right + 1) continue;
    shape(chart.picture, "path", { class: "axis", d: `M${x} ${box.bottom}v4` });
    shape(chart.picture, "text", { x, y: box.bottom + 16, "text-anchor": "middle" }, words(value));
  }
}

// Where in a rising list the first value above `wanted` stands.
function after(list, wanted) {
  let low = 0, high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (list[middle] <= wanted) low = middle + 1; else high = middle;
  }
  return low;
}

// -- Distributions ---------------------------------------------------------------------------

function histogram(parent, told, look, state) {
  const chart = figure(parent, `${told.metric} · ${told.title}`, look, 236);
  if (!told.log) {
    chart.picture.remove();
    element(chart.box, "p", "none", `— nothing was measured${told.failed ? `: ${groups(told.failed, 0)} failed` : ""}`);
    return;
  }
  const read = element(chart.caption, "output", "read");
  read.setAttribute("aria-live", "polite");
  let bars, x, box, pick, at = null;

  function draw() {
    clear(chart);
    box = { ...place(chart), top: 52 };
    bars = state.log ? told.log : told.linear;
    const { edges, counts } = bars;
    let low = edges[0], high = edges[edges.length - 1];
    if (told.limit && told.limit > high && told.limit < (state.log ? 6 : 2) * high) high = told.limit * 1.08;
    x = (state.log ? logScale : linearScale)(low, high, box.left, box.right);
    const y = linearScale(0, Math.max(...counts) * 1.05, box.bottom, box.top);
    yAxis(chart, y, box, short, 3);
    xAxis(chart, x, box, x.ticks(Math.floor((box.right - box.left) / 46)), latency);
    bodies(edges, counts, y);
    if (told.limit) limitLine(high);
    quantiles();
    pick = shape(chart.picture, "rect", { class: "pick", y: box.top, height: box.bottom - box.top, width: 0, x: 0 });
    rest();
  }

  function bodies(edges, counts, y) {
    const paths = ["", ""];
    counts.forEach((count, i) => {
      if (!count) return;
      const from = x.at(edges[i]), to = x.at(edges[i + 1]), gap = to - from > 2.5 ? 0.6 : 0;
      const top = Math.min(y.at(count), box.bottom - 1);
      paths[told.limit && edges[i] >= told.limit ? 1 : 0] += `M${from.toFixed(2)} ${box.bottom}V${top.toFixed(2)}H${(to - gap).toFixed(2)}V${box.bottom}Z`;
    });
    shape(chart.picture, "path", { class: "bars", d: paths[0] });
    if (paths[1]) shape(chart.picture, "path", { class: "bars over", d: paths[1] });
  }

  function limitLine(high) {
    const at = x.at(told.limit);
    if (told.limit > high) return;
    shape(chart.picture, "path", { class: "limit", d: `M${at} ${box.top - 4}V${box.bottom}` });
    const end = at > box.right - 62;
    shape(chart.picture, "text", { class: "limit-text", x: at + (end ? -5 : 5), y: box.top + 60, "text-anchor": end ? "end" : "start" }, `limit ${ms(told.limit)}`);
  }

  // Labels stand in rows of their own, so that near ones do not cover each other.
  function quantiles() {
    told.marks.forEach(([name, value], row) => {
      const at = x.at(value), y = 12 + row * 13;
      if (at > box.right + 1) return;
      shape(chart.picture, "path", { class: "quantile", d: `M${at} ${y + 2}V${box.bottom}` });
      const end = at > box.right - 70;
      shape(chart.picture, "text", { class: "label", x: at + (end ? -4 : 4), y: y + 2, "text-anchor": end ? "end" : "start" }, `${name} ${ms(value)}`);
    });
  }

  function rest() {
    const beyond = [bars.below && `${groups(bars.below, 0)} below`, bars.above && `${groups(bars.above, 0)} above`];
    const out = beyond.filter(Boolean).join(" and ");
    const far = told.limit && x.at(told.limit) > box.right + 1 ? ` · limit ${ms(told.limit)} ms is off the axis` : "";
    read.textContent = `${groups(told.n, 0)} ${told.what}, ms${told.failed ? `, ${groups(told.failed, 0)} failed` : ""}${out ? `, ${out} the axis` : ""}${far}`;
    at = null;
    pick.setAttribute("width", 0);
  }

  function show(i) {
    const { edges, counts } = bars;
    at = Math.min(Math.max(i, 0), counts.length - 1);
    const from = x.at(edges[at]);
    pick.setAttribute("x", from);
    pick.setAttribute("width", Math.max(x.at(edges[at + 1]) - from, 1));
    const until = bars.below + counts.slice(0, at + 1).reduce((sum, n) => sum + n, 0);
    read.textContent = `${ms(edges[at])}–${ms(edges[at + 1])} ms: ${short(counts[at])} ${told.what} · ${((100 * until) / told.n).toFixed(1)} % up to here`;
  }

  chart.picture.addEventListener("pointermove", (event) => {
    show(after(bars.edges, x.value(pointed(chart, event))) - 1);
  });
  chart.picture.addEventListener("pointerleave", rest);
  chart.picture.addEventListener("blur", rest);
  chart.picture.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (event.key === "Escape") rest();
    if (!step) return;
    const start = after(bars.edges, told.marks.length ? told.marks[0][1] : bars.edges[0]) - 1;
    show(at === null ? start : at + step * (event.shiftKey ? 10 : 1));
    event.preventDefault();
  });
  chart.picture.setAttribute("aria-label", `${told.title}: ` + told.marks.map(([name, value]) => `${name} ${ms(value)} ms`).join(", "));
  state.drawings.push(draw);
}

// The place of the pointer in the chart's own units: a printed or scaled picture is no exception.
function pointed(chart, event) {
  const frame = chart.picture.getBoundingClientRect();
  return ((event.clientX - frame.left) / frame.width) * chart.width;
}

function pointedY(chart, event) {
  const frame = chart.picture.getBoundingClientRect();
  return ((event.clientY - frame.top) / frame.height) * chart.height;
}
