// Two ends on a sheet: time, rate and voltage between them. By click and click, by dragging, by keys.
import { element, text } from "./sheet.js";

const NEAR = 1.2; // mm; from which an end snaps to a mark, and is taken hold of
const STEP = 0.5; // mm; an arrow key, 20 ms at 25 mm/s
const FAR = 5; // mm; with Shift
const START = 5; // mm; between the ends when they are put down by key

export class Calipers {
  // `drawn` is a sheet with its scale and marks; `output` says what is measured.
  constructor(drawn, output, { snapping }) {
    this.drawn = drawn;
    this.output = output;
    this.snapping = snapping;
    this.ends = [];
    this.active = 0;
    this.placing = false; // the second end follows the pointer
    this.held = null; // the end that is dragged
    this.layer = element("g", { class: "calipers" });
    drawn.sheet.append(this.layer);
    const { sheet } = drawn;
    sheet.addEventListener("pointerdown", (event) => this.down(event));
    sheet.addEventListener("pointermove", (event) => this.move(event));
    sheet.addEventListener("pointerup", (event) => this.up(event));
    sheet.addEventListener("pointercancel", () => {
      this.held = this.pressed = null; // the page was scrolled by a finger
    });
    sheet.addEventListener("keydown", (event) => this.key(event));
    this.show();
  }

  at(event) {
    const { sheet } = this.drawn;
    const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(sheet.getScreenCTM().inverse());
    return { x: point.x, y: point.y };
  }

  snapped(end) {
    if (!this.snapping()) return end;
    const near = this.drawn.snaps
      .filter((mark) => end.y >= mark.y0 && end.y <= mark.y1)
      .map((mark) => ({ mark, apart: Math.abs(mark.x - end.x) }))
      .sort((a, b) => a.apart - b.apart)[0];
    return near && near.apart <= NEAR ? { ...end, x: near.mark.x } : end;
  }

  down(event) {
    if (event.button !== 0) return;
    const point = this.at(event);
    const grabbed = this.placing ? -1 : this.ends.findIndex((end) => Math.hypot(end.x - point.x, end.y - point.y) <= 2 * NEAR);
    this.held = grabbed >= 0 ? grabbed : null;
    this.pressed = { x: event.clientX, y: event.clientY };
    if (this.held !== null) {
      this.active = this.held;
      this.drawn.sheet.setPointerCapture(event.pointerId);
    }
  }

  move(event) {
    if (this.held !== null) this.put(this.held, this.at(event));
    else if (this.placing) this.put(1, this.at(event));
  }

  up(event) {
    const wasHeld = this.held;
    this.held = null;
    if (wasHeld !== null || !this.pressed) return;
    if (Math.hypot(event.clientX - this.pressed.x, event.clientY - this.pressed.y) > 4) return; // scrolled
    if (this.placing) {
      this.put(1, this.at(event));
      this.placing = false;
    } else {
      const end = this.snapped(this.at(event));
      this.ends = [end, end];
      this.active = 1;
      this.placing = true;
      this.show();
    }
  }

  put(which, end) {
    this.ends[which] = this.snapped(end);
    this.show();
  }

  key(event) {
    const step = event.shiftKey ? FAR : STEP;
    const moves = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] };
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape") this.clear();
    else if (event.key === "Enter" || event.key === " ") this.ends.length ? this.other() : this.begin();
    else if (moves[event.key]) this.ends.length ? this.nudge(...moves[event.key]) : this.begin();
    else if (event.key === "n" || event.key === "p") this.next(event.key === "n" ? 1 : -1);
    else return;
    event.preventDefault();
  }

  begin() {
    const { width, height } = this.drawn.sheet.viewBox.baseVal;
    const seen = this.drawn.sheet.parentElement;
    const scale = width / this.drawn.sheet.getBoundingClientRect().width;
    const x = Math.min(width - START, Math.round((seen.scrollLeft + seen.clientWidth / 2) * scale));
    this.ends = [{ x, y: height / 2 }, { x: x + START, y: height / 2 }];
    this.active = 1;
    this.placing = false;
    this.show();
  }

  other() {
    this.placing = false;
    this.active = 1 - this.active;
    this.show();
  }

  nudge(dx, dy) {
    const { width, height } = this.drawn.sheet.viewBox.baseVal;
    const end = this.ends[this.active];
    const inside = (value, most) => Math.min(Math.max(value, 0), most);
    this.ends[this.active] = { x: inside(end.x + dx, width), y: inside(end.y + dy, height) };
    this.show();
  }

  // Go to the next mark of the row, or the one before.
  next(direction) {
    if (!this.ends.length) this.begin();
    const end = this.ends[this.active];
    const ahead = this.drawn.snaps
      .filter((mark) => end.y >= mark.y0 && end.y <= mark.y1 && (mark.x - end.x) * direction > 0.01)
      .sort((a, b) => (a.x - b.x) * direction)[0];
    if (ahead) this.ends[this.active] = { ...end, x: ahead.x };
    this.show();
  }

  clear() {
    this.ends = [];
    this.placing = false;
    this.show();
  }

  // Between the ends: ms, beats a minute, mV.
  measured() {
    const [a, b] = this.ends;
    const ms = (1000 * Math.abs(b.x - a.x)) / this.drawn.speed;
    return { ms, bpm: ms > 0 ? 60000 / ms : null, mv: (a.y - b.y) / this.drawn.gain };
  }

  words() {
    if (!this.ends.length) return "Calipers: click twice on the tracing, or press Enter in it.";
    const { ms, bpm, mv } = this.measured();
    const rate = bpm === null || bpm > 999 ? "" : ` · ${Math.round(bpm)}/min`;
    return `${Math.round(ms)} ms${rate} · ${mv < 0 ? "−" : ""}${Math.abs(mv).toFixed(2)} mV`;
  }

  show() {
    this.output.textContent = this.words();
    this.output.classList.toggle("used", this.ends.length > 0);
    this.layer.replaceChildren();
    if (!this.ends.length) return;
    const { width, height } = this.drawn.sheet.viewBox.baseVal;
    const [a, b] = this.ends;
    this.ends.forEach((end, i) => {
      this.layer.append(
        element("line", { x1: end.x, x2: end.x, y1: 0, y2: height }),
        element("line", { class: "level", x1: Math.min(a.x, b.x), x2: Math.max(a.x, b.x), y1: end.y, y2: end.y }),
        element("circle", { cx: end.x, cy: end.y, r: i === this.active ? 0.9 : 0.6, class: i === this.active ? "active" : "" }),
      );
    });
    const words = text(0, 0, this.words());
    const above = Math.max(6, Math.min(a.y, b.y) - 4);
    const group = element("g", { class: "read" }, element("rect", { rx: 0.8 }), words);
    this.layer.append(group);
    const box = words.getBBox();
    const x = Math.min(Math.max((a.x + b.x) / 2 - box.width / 2, 1), width - box.width - 1);
    words.setAttribute("x", x);
    words.setAttribute("y", above);
    const frame = group.firstElementChild;
    for (const [key, value] of Object.entries({ x: x - 1, y: above + box.y - 0.5, width: box.width + 2, height: box.height + 1 })) {
      frame.setAttribute(key, value);
    }
  }
}
