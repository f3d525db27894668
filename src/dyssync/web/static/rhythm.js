// The recording in a layout of paper: rows of panels, marks below, explanation behind.
import { looked } from "./recording.js";
import { element, paper, pulse, text, trace } from "./sheet.js";

export const WIDTH = 250; // mm of traces: 10 s at 25 mm/s, and an A4 page across
const LEFT = 15; // mm before them, for the pulse
const TOP = 8; // mm above, for what the paper says
const EDGE = 2; // mm below the last row
const LEAST_CHIP = 0.005; // log-odds; less would be shown as 0.00
const STRIP = 2; // mm; one step of an explanation
export const WAVE = { p_on: "p", p_off: "p", qrs_on: "qrs", qrs_off: "qrs", t_peak: "t", t_off: "t" };

// Seconds that the sheet shows.
export function span(view) {
  return WIDTH / view.speed;
}

export function drawRhythm(record, view) {
  const layout = record.layouts[view.layout];
  const height = TOP + layout.rows * layout.row_mm + EDGE;
  const sheet = paper(LEFT + WIDTH + EDGE, height, `Tracing, ${view.layout}; arrow keys move calipers`);
  const cells = layout.panels.map((panel) => place(panel, layout, view));
  const behind = element("g", { class: "explanation" });
  const traces = element("g", { class: "traces" });
  const marks = element("g", { class: "marks" });
  sheet.append(behind, marks, traces);
  for (const cell of cells) {
    if (view.explained) explain(record, cell, view, behind);
    drawPanel(record, cell, view, traces);
  }
  for (let row = 0; row < layout.rows; row++) {
    traces.append(pulse(2, TOP + (row + 0.5) * layout.row_mm, view.speed, view.gain));
  }
  const found = snaps(record, cells, view, layout.row_mm);
  if (view.marked) drawMarks(found, layout.row_mm, marks);
  const until = Math.min(view.start + span(view), record.seconds);
  const shown = `${view.speed} mm/s   ${view.gain} mm/mV   ${view.start.toFixed(1)} to ${until.toFixed(1)} s   ${record.filters}`;
  sheet.append(text(2, 5, `${shown}   Research use only`, { class: "says" }));
  return { sheet, snaps: found, speed: view.speed, gain: view.gain };
}

function place(panel, layout, view) {
  const columns = panel.rhythm ? 1 : layout.columns;
  const wide = WIDTH / columns;
  const seconds = wide / view.speed;
  const from = view.start + (panel.rhythm || layout.simultaneous ? 0 : panel.column * seconds);
  return {
    panel,
    from,
    to: from + seconds,
    x: LEFT + panel.column * wide,
    y: TOP + (panel.row + 0.5) * layout.row_mm,
    wide,
    row_mm: layout.row_mm,
  };
}

function drawPanel(record, cell, view, into) {
  const { panel } = cell;
  const samples = record.signal[panel.lead];
  const gain = panel.inverted ? -view.gain : view.gain;
  const at = { x: cell.x, y: cell.y, speed: view.speed, gain };
  into.append(element("path", { class: "trace", d: trace(samples, record.fs, cell.from, cell.to, at) }));
  if (panel.column && !panel.rhythm) {
    into.append(element("path", { class: "trace", d: `M${cell.x} ${cell.y - 3}v6` }));
  }
  const chip = view.explained && record.chips ? record.chips[record.leads[panel.lead]] : undefined;
  const label = text(cell.x + 1.5, cell.y - cell.row_mm / 2 + 4.5, panel.label, { class: "lead" });
  if (chip !== undefined && Math.abs(chip) >= LEAST_CHIP) {
    const more = element("tspan", { class: chip > 0 ? "for" : "against", dx: 1.2 });
    more.append(`${chip > 0 ? "+" : "−"}${Math.abs(chip).toFixed(2)}`);
    label.append(more);
  }
  into.append(label);
}

function explain(record, cell, view, into) {
  for (let x = 0; x < cell.wide; x += STRIP) {
    const width = Math.min(STRIP, cell.wide - x);
    const t = cell.from + (x + width / 2) / view.speed;
    const level = t < record.seconds ? looked(record, cell.panel.lead, t) : null;
    if (!level) continue;
    into.append(
      element("rect", {
        x: cell.x + x,
        y: cell.y - cell.row_mm / 2,
        width,
        height: cell.row_mm,
        "fill-opacity": (0.55 * level).toFixed(3),
      }),
    );
  }
}

// Where calipers snap to: x of each mark in each row that shows it.
function snaps(record, cells, view, row_mm) {
  return cells.flatMap((cell) =>
    record.marks
      .filter((mark) => mark.t >= cell.from && mark.t < cell.to)
      .map((mark) => ({
        x: cell.x + (mark.t - cell.from) * view.speed,
        y0: cell.y - row_mm / 2,
        y1: cell.y + row_mm / 2,
        kind: mark.kind,
      })),
  );
}

function drawMarks(found, row_mm, into) {
  for (const mark of found) {
    into.append(element("line", { class: WAVE[mark.kind], x1: mark.x, x2: mark.x, y1: mark.y0 + 0.15 * row_mm, y2: mark.y1 - 0.05 * row_mm }));
  }
}
