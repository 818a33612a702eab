"use strict";
// Scales, round values for axes, and numbers as words. Latencies are milliseconds, moments seconds.

function linearScale(low, high, from, to) {
  const span = high - low || 1;
  return {
    at: (value) => from + ((value - low) / span) * (to - from),
    value: (place) => low + ((place - from) / (to - from)) * span,
    ticks: (most) => linearTicks(low, high, most),
  };
}

function logScale(low, high, from, to) {
  const base = Math.log(low), span = Math.log(high) - base || 1;
  return {
    at: (value) => from + ((Math.log(Math.max(value, low * 1e-3)) - base) / span) * (to - from),
    value: (place) => Math.exp(base + ((place - from) / (to - from)) * span),
    ticks: (most) => logTicks(low, high, most),
  };
}

function roundStep(span, most) {
  const least = span / Math.max(most, 1);
  const power = 10 ** Math.floor(Math.log10(least));
  return [1, 2, 5, 10].map((m) => m * power).find((step) => step >= least * 0.999);
}

function linearTicks(low, high, most) {
  if (!(high > low)) return [low];
  const step = roundStep(high - low, most), found = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high * (1 + 1e-9); k++) found.push(k * step);
  return found;
}

function logTicks(low, high, most) {
  for (const [mantissas, stride] of [[[1, 2, 3, 5, 7], 1], [[1, 2, 5], 1], [[1, 3], 1], [[1], 1], [[1], 2], [[1], 3]]) {
    const found = [];
    for (let e = Math.floor(Math.log10(low)); e <= Math.ceil(Math.log10(high)); e++)
      for (const m of e % stride ? [] : mantissas) {
        const value = m * 10 ** e;
        if (value >= low * 0.9999 && value <= high * 1.0001) found.push(value);
      }
    // A narrow axis holds no such values; it is nearly straight there.
    if (found.length <= most) return found.length > 2 || high > 20 * low ? found : linearTicks(low, high, Math.min(most, 5));
  }
  return [];
}

// Time has its own round values: 1, 2, 5, 10, 15, 30 of seconds, minutes, hours.
function timeTicks(low, high, most) {
  const steps = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21600, 43200];
  const step = steps.find((s) => (high - low) / s <= most) || Math.ceil((high - low) / most / 86400) * 86400;
  const found = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + 1e-9; k++) found.push(k * step);
  return found;
}

function groups(value, decimals) {
  return value.toLocaleString("en-US", { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
}

function ms(value) {
  if (value === null || value === undefined) return "—";
  return value < 1 ? value.toFixed(3) : value < 10 ? value.toFixed(2) : value < 100 ? value.toFixed(1) : groups(value, 0);
}

function short(value) {
  if (value === null || value === undefined) return "—";
  const size = Math.abs(value);
  if (size >= 1e6) return +(value / 1e6).toFixed(1) + "M";
  if (size >= 1e4) return +(value / 1e3).toFixed(1) + "k";
  return String(+value.toPrecision(3 + (size >= 1000)));
}

// A latency with the unit that suits it, for axes.
function latency(value) {
  if (value >= 1000) return +(value / 1000).toPrecision(3) + " s";
  return value >= 0.1 ? +value.toPrecision(3) + "" : +(value * 1000).toPrecision(3) + " µs";
}

function clock(seconds, decimals = 1) {
  const whole = Math.floor(seconds / 60 + 1e-9);
  const rest = Math.max(seconds - whole * 60, 0).toFixed(decimals).padStart(decimals ? 3 + decimals : 2, "0");
  if (whole < 60) return `${whole}:${rest}`;
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}:${rest}`;
}
