// The tracing of one patient: buttons, sheets, calipers. State is a few plain values a sheet.
import { drawBeats, fittingGain } from "./beats.js";
import { Calipers } from "./calipers.js";
import { decode } from "./recording.js";
import { drawRhythm, span } from "./rhythm.js";

const BEAT_GAINS = [5, 10, 20, 40]; // mm/mV
const KEYS =
  "Keys in a tracing: Enter puts calipers down and changes the end, arrows move it (Shift: 5 mm), n and p go to the next and previous mark, Escape takes them away.";

export function showTracing(place, data) {
  const record = decode(data);
  const rhythm = { layout: Object.keys(record.layouts)[0], speed: 25, gain: 10, start: 0, marked: false, explained: false, snap: true };
  const parts = [panel(record, rhythm, "The recording", drawRhythm, rhythmButtons)];
  if (record.beat) {
    const beats = { speed: 100, gain: fittingGain(record, BEAT_GAINS), marked: true, lead: null, snap: true };
    parts.push(panel(record, beats, "Median beats, all leads laid on each other", drawBeats, beatButtons));
  } else {
    parts.push(made("p", "soft", "No heartbeat was found, so that there is no median beat."));
  }
  place.replaceChildren(...parts, made("p", "soft screen-only", KEYS));
}

function made(name, kind, ...children) {
  const element = document.createElement(name);
  if (kind) element.className = kind;
  element.append(...children);
  return element;
}

// A heading, buttons, a sheet that is drawn anew at each change, and what the calipers say.
function panel(record, view, title, draw, buttons) {
  const box = made("div", "scroll sheet-box");
  const output = made("output", "caliper-text");
  output.setAttribute("aria-live", "polite");
  const bar = made("div", "bar-of-buttons screen-only");
  const whole = made("div", "tracing-part", made("h3", "", title), bar, box, made("p", "", output));
  function renew() {
    const drawn = draw(record, view);
    box.replaceChildren(drawn.sheet);
    whole.calipers = new Calipers(drawn, output, { snapping: () => view.snap });
  }
  function change(what) {
    const focused = [...bar.querySelectorAll("button")].indexOf(document.activeElement);
    Object.assign(view, what);
    bar.replaceChildren(...buttons(record, view, change));
    bar.querySelectorAll("button")[focused]?.focus();
    renew();
  }
  bar.append(...buttons(record, view, change));
  // getBBox and getScreenCTM need the sheet to stand in the page
  requestAnimationFrame(renew);
  return whole;
}

function choice(label, view, key, values, change, name = (value) => value) {
  const group = made("div", "choice");
  group.setAttribute("role", "group");
  group.setAttribute("aria-label", label);
  for (const value of values) {
    const button = made("button", "", String(name(value)));
    button.type = "button";
    button.setAttribute("aria-pressed", view[key] === value);
    button.addEventListener("click", () => change({ [key]: value }));
    group.append(button);
  }
  return group;
}

function onOff(words, view, key, change) {
  return choice(words, view, key, [true], (what) => change({ [key]: !view[key] && what[key] }), () => words);
}

function rhythmButtons(record, view, change) {
  const found = [
    choice("Layout", view, "layout", Object.keys(record.layouts), change, (name) => (name === "6x2-cabrera" ? "Cabrera" : name)),
    choice("Paper speed", view, "speed", [25, 50], change, (value) => `${value} mm/s`),
    choice("Gain", view, "gain", [5, 10, 20], change, (value) => `${value} mm/mV`),
    onOff("marks", view, "marked", change),
    onOff("snap", view, "snap", change),
  ];
  if (record.profiles || record.chips) found.push(onOff("explanation", view, "explained", change));
  if (record.seconds > span(view)) found.push(moving(record, view, change));
  return found;
}

function moving(record, view, change) {
  const step = span(view) / 2;
  const last = Math.max(0, record.seconds - span(view));
  const group = made("div", "choice");
  group.setAttribute("role", "group");
  group.setAttribute("aria-label", "Time");
  for (const [words, by] of [["◀ earlier", -step], ["later ▶", step]]) {
    const start = Math.min(last, Math.max(0, view.start + by));
    const button = made("button", "", words);
    button.type = "button";
    button.disabled = start === view.start;
    button.addEventListener("click", () => change({ start }));
    group.append(button);
  }
  const whole = record.of_seconds - record.seconds > 0.05 ? ` the first ${record.seconds.toFixed(0)} of ${record.of_seconds.toFixed(0)} s are here` : "";
  return whole ? made("div", "choice", group, made("span", "soft", whole)) : group;
}

function beatButtons(record, view, change) {
  const leads = made("div", "choice");
  leads.setAttribute("role", "group");
  leads.setAttribute("aria-label", "Lead to stand out");
  record.leads.forEach((lead, i) => {
    const button = made("button", "", lead);
    button.type = "button";
    button.setAttribute("aria-pressed", view.lead === i);
    button.addEventListener("click", () => change({ lead: view.lead === i ? null : i }));
    leads.append(button);
  });
  return [
    choice("Paper speed", view, "speed", [25, 50, 100, 200], change, (value) => `${value} mm/s`),
    choice("Gain", view, "gain", BEAT_GAINS, change, (value) => `${value} mm/mV`),
    onOff("marks", view, "marked", change),
    onOff("snap", view, "snap", change),
    leads,
  ];
}
