// The page works without this file; it adds charts, live state, ages that grow, and the links
// between a finding and its evidence. No inline handlers: everything hangs on data attributes.
"use strict";

const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const drawn = new Map(); // element -> uPlot

// -- numbers, spelt as the server spells them ------------------------------------------------------

const UNITS = {
  ratio: (v) => (v * 100).toLocaleString("en", { maximumSignificantDigits: 3 }) + " %",
  seconds: (v) => (v < 1 ? Math.round(v * 1000) + " ms" : v.toLocaleString("en", { maximumSignificantDigits: 3 }) + " s"),
  usd: (v) => "$" + v.toLocaleString("en", { maximumSignificantDigits: 3 }),
  rate: (v) => v.toLocaleString("en", { maximumSignificantDigits: 3, notation: "compact" }) + " /min",
};
const spell = (unit, v) => (v === null || v === undefined ? "–" : UNITS[unit](v));

const pad = (n) => String(n).padStart(2, "0");
const day = (d) => `${d.getUTCFullYear()}-${pad(d.getUTCMonth() + 1)}-${pad(d.getUTCDate())}`;
const minute = (d) => `${pad(d.getUTCHours())}:${pad(d.getUTCMinutes())}`;

function age(seconds) {
  if (seconds < 1) return "now";
  if (seconds < 60) return Math.floor(seconds) + " s ago";
  if (seconds < 3600) return Math.floor(seconds / 60) + " min ago";
  if (seconds < 172800) return Math.floor(seconds / 3600) + " h ago";
  return Math.floor(seconds / 86400) + " d ago";
}

function tick() {
  const now = new Date();
  for (const clock of document.querySelectorAll("[data-clock]"))
    clock.textContent = `${day(now)} ${minute(now)}:${pad(now.getUTCSeconds())} UTC`;
  for (const time of document.querySelectorAll("time[data-age]"))
    time.textContent = age((now - Date.parse(time.dateTime)) / 1000);
}

// -- charts ----------------------------------------------------------------------------------------

const inks = ["--series-1", "--series-2", "--series-3", "--series-4"];

function columns(data) {
  return [data.t, ...data.series.map((s) => s.values)];
}

// a lone value between two gaps has no line: draw it as a point
function lonely(values) {
  const known = (i) => (values[i] ?? null) !== null;
  return values.flatMap((_, i) => (known(i) && !known(i - 1) && !known(i + 1) ? [i] : []));
}

function lines(data, width) {
  return data.series.map((s, i) => ({
    label: s.label, stroke: token(inks[i]), width, dash: i === 1 ? [6, 3] : undefined,
    spanGaps: false, points: { show: true, size: 3, fill: token(inks[i]), filter: () => lonely(s.values) },
    fill: i === 0 ? token(inks[0]) + "22" : undefined,
  }));
}

function drawSpark(box) {
  const data = JSON.parse(box.dataset.spark);
  return new uPlot({
    width: box.clientWidth, height: box.clientHeight || 30, legend: { show: false }, cursor: { show: false },
    padding: [2, 0, 2, 0], axes: [{ show: false }, { show: false }],
    scales: { x: { time: true }, y: { range: (_, low, high) => [Math.min(0, low ?? 0), Math.max(high ?? 0, data.least)] } },
    series: [{}, ...lines(data, 1.5)],
  }, columns(data), box);
}

function drawChart(box) {
  const data = JSON.parse(box.dataset.chart);
  const readout = document.getElementById(box.dataset.readout);
  const quiet = readout ? readout.textContent : "";
  const grid = { stroke: token("--line"), width: 1 };
  const say = (plot) => {
    if (!readout) return;
    const i = plot.cursor.idx;
    if (i === null || i === undefined) { readout.textContent = quiet; return; }
    const at = new Date(data.t[i] * 1000);
    readout.textContent = `${day(at)} ${minute(at)} UTC  ` +
      data.series.map((s) => `${s.label} ${spell(data.unit, s.values[i])}`).join("  ");
  };
  const plot = new uPlot({
    width: box.clientWidth, height: box.clientHeight - 8, tzDate: (ts) => uPlot.tzDate(new Date(ts * 1e3), "UTC"),
    legend: { show: false }, cursor: { y: false, drag: { x: false, y: false }, points: { size: 6 } },
    axes: [
      { stroke: token("--muted"), grid, ticks: grid, font: "11px system-ui, sans-serif", values: (_, ts) => clockLabels(ts) },
      { stroke: token("--muted"), grid, ticks: grid, font: "11px system-ui, sans-serif", size: 62, values: (_, vs) => vs.map((v) => spell(data.unit, v)) },
    ],
    scales: { y: { range: (_, low, high) => [Math.min(0, low ?? 0), Math.max(high ?? 0, data.least)] } },
    series: [{}, ...lines(data, 2)],
    hooks: { setCursor: [say], draw: [(plot) => drawMarks(plot, data.marks ?? [])] },
  }, columns(data), box);
  if (data.link) {
    box.style.cursor = "pointer";
    plot.over.addEventListener("click", () => {
      const i = plot.cursor.idx;
      if (i === null || i === undefined) return;
      const from = new Date(data.t[i] * 1000).toISOString();
      const to = new Date((data.t[i] + data.step) * 1000).toISOString();
      location.href = `${data.link}&since=${encodeURIComponent(from)}&until=${encodeURIComponent(to)}`;
    });
  }
  return plot;
}

// what was changed, as a dashed line from top to bottom with its name
function drawMarks(plot, marks) {
  const { ctx, bbox } = plot, scale = devicePixelRatio;
  ctx.save();
  ctx.strokeStyle = ctx.fillStyle = token("--series-3");
  ctx.lineWidth = scale;
  ctx.font = `${10 * scale}px system-ui, sans-serif`;
  const last = plot.data[0][plot.data[0].length - 1];
  for (const [i, mark] of [...marks].sort((a, b) => a.t - b.t).entries()) {
    const x = Math.round(plot.valToPos(Math.min(mark.t, last), "x", true)); // the last step has not ended
    if (x < bbox.left) continue;
    ctx.setLineDash([4 * scale, 3 * scale]);
    ctx.beginPath(); ctx.moveTo(x, bbox.top); ctx.lineTo(x, bbox.top + bbox.height); ctx.stroke();
    const text = mark.label.length > 24 ? mark.label.slice(0, 23) + "…" : mark.label;
    const isRight = x + ctx.measureText(text).width + 6 * scale > bbox.left + bbox.width;
    ctx.textAlign = isRight ? "right" : "left";
    ctx.fillText(text, x + (isRight ? -4 : 4) * scale, bbox.top + (10 + 12 * (i % 3)) * scale);
  }
  ctx.restore();
}

function clockLabels(stamps) {
  let last = "";
  return stamps.map((ts) => {
    const d = new Date(ts * 1000), date = day(d).slice(5);
    const text = d.getUTCHours() + d.getUTCMinutes() === 0 ? date : minute(d) + (date !== last && last === "" ? "\n" + date : "");
    last = date;
    return text;
  });
}

function draw(root) {
  for (const [box, plot] of drawn) if (!document.contains(box)) { plot.destroy(); drawn.delete(box); }
  for (const box of root.querySelectorAll("[data-spark]")) if (!drawn.has(box)) drawn.set(box, drawSpark(box));
  for (const box of root.querySelectorAll("[data-chart]")) if (!drawn.has(box)) drawn.set(box, drawChart(box));
}

function redraw() {
  for (const [box, plot] of drawn) { plot.destroy(); box.replaceChildren(); }
  drawn.clear();
  draw(document);
}

let wait = 0;
function resized() {
  cancelAnimationFrame(wait);
  wait = requestAnimationFrame(redraw);
}

// -- theme -----------------------------------------------------------------------------------------

function theme() {
  const set = document.documentElement.dataset.theme;
  return set || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
}

function showTheme() {
  for (const button of document.querySelectorAll("[data-theme-toggle]")) {
    const next = theme() === "dark" ? "light" : "dark";
    button.setAttribute("aria-label", `Use the ${next} theme`);
    button.textContent = next === "dark" ? "Dark" : "Light";
  }
}

function toggleTheme() {
  const next = theme() === "dark" ? "light" : "dark";
  document.documentElement.dataset.theme = next;
  document.cookie = `theme=${next}; path=/; max-age=31536000; samesite=lax`;
  showTheme();
  redraw();
}

// -- a finding and its evidence --------------------------------------------------------------------

function tied(number) {
  return document.querySelectorAll(`[data-finding~="${number}"]`);
}

function light(number, on) {
  for (const element of tied(number)) element.classList.toggle("on", on);
}

function follow(number, from) {
  for (const lit of document.querySelectorAll(".on[data-finding]")) lit.classList.remove("on");
  light(number, true);
  const inside = from.closest("[data-side]")?.dataset.side;
  const goal = [...tied(number)].find((e) => e.closest("[data-side]")?.dataset.side !== inside && e.tagName === "MARK");
  if (!goal) return;
  const folded = goal.closest("details");
  if (folded) folded.open = true;
  goal.scrollIntoView({ block: "center", behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
}

function firstFinding(element) {
  return element?.dataset.finding?.split(" ")[0];
}

document.addEventListener("mouseover", (e) => { const n = firstFinding(e.target.closest("mark[data-finding]")); if (n) light(n, true); });
document.addEventListener("mouseout", (e) => { const n = firstFinding(e.target.closest("mark[data-finding]")); if (n) light(n, false); });
document.addEventListener("focusin", (e) => { const n = firstFinding(e.target.closest("[data-finding]")); if (n) light(n, true); });
document.addEventListener("focusout", (e) => { const n = firstFinding(e.target.closest("[data-finding]")); if (n) light(n, false); });
document.addEventListener("click", (e) => {
  if (e.target.closest("[data-theme-toggle]")) { toggleTheme(); return; }
  const copy = e.target.closest("[data-copy]");
  if (copy) { navigator.clipboard?.writeText(copy.dataset.copy).then(() => { copy.textContent = "Copied"; }, () => {}); return; }
  const marked = e.target.closest("[data-finding]");
  if (marked && !e.target.closest("a")) follow(firstFinding(marked), marked);
});
document.addEventListener("keydown", (e) => {
  const marked = e.target.closest?.("mark[data-finding]");
  if (marked && (e.key === "Enter" || e.key === " ")) { e.preventDefault(); follow(firstFinding(marked), marked); }
});

// -- review: a key gives the verdict ------------------------------------------------------------------

document.addEventListener("keydown", (e) => {
  if (e.ctrlKey || e.metaKey || e.altKey || e.target.closest("input:not([type=hidden]), textarea, select")) return;
  const form = document.querySelector("form[data-review]");
  if (!form) return;
  const button = form.querySelector(`button[data-key="${CSS.escape(e.key)}"]`);
  const field = form.querySelector(`[data-key-focus="${CSS.escape(e.key)}"]`);
  const fold = document.querySelector(`details[data-key-open="${CSS.escape(e.key)}"]`);
  if (!button && !field && !fold) return;
  e.preventDefault();
  if (button) form.requestSubmit(button); else if (field) field.focus(); else fold.open = !fold.open;
});

// -- live ------------------------------------------------------------------------------------------

function live(state, word) {
  for (const sign of document.querySelectorAll("[data-live]")) {
    sign.dataset.live = state;
    sign.querySelector("span").textContent = word;
    sign.querySelector("use").setAttribute("href", sign.dataset.icons + (state === "on" ? "#ok" : "#uncertain"));
  }
}

document.addEventListener("htmx:sseOpen", () => live("on", "live"));
document.addEventListener("htmx:sseError", () => live("off", "reconnecting"));
// nobody sees a hidden tab: it looks again when it is shown
document.addEventListener("htmx:beforeRequest", (e) => {
  if (document.hidden && e.detail.requestConfig.triggeringEvent?.type?.startsWith("sse:")) e.preventDefault();
});
// a swap must not take the focus from who walks the page by key: the same link gets it back
let held = null;
document.addEventListener("htmx:beforeSwap", (e) => {
  const focused = document.activeElement;
  const inside = focused && !focused.id && e.detail.target.contains(focused);
  const key = inside && ["href", "action", "name", "data-finding"].find((name) => focused.hasAttribute(name));
  held = key ? `${focused.tagName}[${key}="${CSS.escape(focused.getAttribute(key))}"]` : null;
  const alike = key ? [...e.detail.target.querySelectorAll(held)] : [];
  if (key) held = { selector: held, place: alike.indexOf(focused), root: e.detail.target.id };
});
document.addEventListener("htmx:afterSwap", (e) => {
  draw(e.target);
  tick();
  const root = held && document.getElementById(held.root);
  root?.querySelectorAll(held.selector)[held.place]?.focus({ preventScroll: true });
  held = null;
});
document.addEventListener("visibilitychange", () => { if (!document.hidden) tick(); });
addEventListener("resize", resized);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { showTheme(); redraw(); });
// a phone shows the calls first; the filters are one touch away
function foldFilters() {
  const filters = document.getElementById("filters");
  if (filters && !("used" in filters.dataset) && innerWidth < 641) filters.open = false;
}

document.addEventListener("DOMContentLoaded", () => { foldFilters(); showTheme(); tick(); draw(document); setInterval(tick, 1000); });
