// The median beats of all leads laid on each other, with the marks that hold for all of them.
import { element, paper, text, trace } from "./sheet.js";
import { WAVE } from "./rhythm.js";

const LEFT = 3; // mm
const HALF_LETTER = 1.2; // mm, of a name of a wave
const ROOM = 12; // mm above and below, for names and marks
const HIGHEST = 130; // mm, of the sheet that is shown first
const MARGIN = 0.08; // s shown before the first mark and after the last
const WAVES = [
  ["P", "p_on", "p_off"],
  ["QRS", "qrs_on", "qrs_off"],
  ["T peak to end", "t_peak", "t_off"],
];

export function drawBeats(record, view) {
  const { beat } = record;
  const [from, to] = shown(beat);
  const [low, high] = range(beat, from, to);
  const { gain } = view;
  const y = Math.ceil(ROOM + high * gain);
  const height = Math.ceil(y - low * gain + ROOM);
  const width = Math.max(90, Math.ceil((to - from) * view.speed) + 2 * LEFT);
  const sheet = paper(width, height, "Median beats of all leads laid on each other; arrow keys move calipers");
  const at = { x: LEFT, y, speed: view.speed, gain };
  const found = drawMarks(beat, from, at, height, sheet, view);
  const traces = element("g", { class: "traces together" });
  record.leads.forEach((lead, i) => {
    const d = trace(beat.signal[i], beat.fs, from, to, at);
    const chosen = view.lead === i;
    traces.append(element("path", { class: chosen ? "trace chosen" : view.lead === null ? "trace" : "trace pale", d }));
    if (chosen && beat.recorder) {
      const ends = beat.recorder_ends.map((k) => k / beat.fs);
      const theirs = { ...at, x: at.x + Math.max(0, ends[0] - from) * at.speed };
      traces.append(element("path", { class: "trace recorder", d: trace(beat.recorder[i], beat.fs, Math.max(from, ends[0]), Math.min(to, ends[1]), theirs) }));
    }
  });
  sheet.append(traces, text(2, height - 2, `${view.speed} mm/s   ${gain} mm/mV   median of ${beat.n_beats}   Research use only`, { class: "says" }));
  return { sheet, snaps: found, speed: view.speed, gain };
}

// The largest of some gains with which the sheet is not too high; the smallest where none is.
export function fittingGain(record, gains) {
  const [low, high] = range(record.beat, ...shown(record.beat));
  return gains.findLast((gain) => (high - low) * gain + 2 * ROOM <= HIGHEST) ?? gains[0];
}

function shown(beat) {
  const marks = Object.values(beat.marks).filter((mark) => mark !== null);
  const last = (beat.signal[0].length - 1) / beat.fs;
  return [Math.max(0, Math.min(...marks) - MARGIN), Math.min(last, Math.max(...marks) + MARGIN)];
}

function range(beat, from, to) {
  let low = -0.5;
  let high = 0.5;
  for (const lead of beat.signal) {
    for (let i = Math.ceil(from * beat.fs); i <= to * beat.fs; i++) {
      low = Math.min(low, lead[i]);
      high = Math.max(high, lead[i]);
    }
  }
  return [low, high];
}

function drawMarks(beat, from, at, height, sheet, view) {
  const x = (t) => at.x + (t - from) * at.speed;
  const found = [];
  let end = 0; // of the name before, which the next one goes below
  let line = 0;
  for (const [name, first, last] of WAVES) {
    const [on, off] = [beat.marks[first], beat.marks[last]];
    if (on === null || off === null) continue;
    for (const kind of [first, last]) found.push({ x: x(beat.marks[kind]), y0: 0, y1: height, kind });
    if (!view.marked) continue;
    const kind = WAVE[first];
    sheet.append(
      element("rect", { class: `wave ${kind}`, x: x(on), y: 0, width: x(off) - x(on), height }),
      element("line", { class: kind, x1: x(on), x2: x(on), y1: 0, y2: height }),
      element("line", { class: kind, x1: x(off), x2: x(off), y1: 0, y2: height }),
    );
    const words = `${name} ${Math.round(1000 * (off - on))} ms`;
    const middle = (x(on) + x(off)) / 2;
    const half = HALF_LETTER * words.length;
    line = middle - half < end ? line + 1 : 0;
    end = middle + half;
    sheet.append(text(middle, 4 + 4 * line, words, { class: `name ${kind}`, "text-anchor": "middle" }));
  }
  return found;
}
