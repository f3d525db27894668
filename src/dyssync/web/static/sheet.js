// Millimetre paper in SVG. One unit of the drawing is one millimetre, on the screen and in print.
const SVG = "http://www.w3.org/2000/svg";

export function element(name, attributes = {}, ...children) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== null) made.setAttribute(key, value);
  }
  made.append(...children);
  return made;
}

// An empty sheet with its grid; `width` and `height` in mm.
export function paper(width, height, label) {
  const sheet = element("svg", {
    viewBox: `0 0 ${width} ${height}`,
    width: `${width}mm`,
    height: `${height}mm`,
    class: "sheet",
    tabindex: 0,
    role: "application",
    "aria-roledescription": "ECG with calipers",
    "aria-label": label,
  });
  sheet.append(
    element("path", { class: "fine", d: lines(width, height, 1) }),
    element("path", { class: "coarse", d: lines(width, height, 5) }),
  );
  return sheet;
}

function lines(width, height, step) {
  let d = "";
  for (let x = 0; x <= width; x += step) d += `M${x} 0V${height}`;
  for (let y = 0; y <= height; y += step) d += `M0 ${y}H${width}`;
  return d;
}

// The path of a stretch of samples. `place` holds x and y of time 0 and 0 mV, speed and gain.
export function trace(samples, fs, from, to, place) {
  const first = Math.max(0, Math.ceil(from * fs));
  const last = Math.min(samples.length - 1, Math.floor(to * fs));
  let d = "";
  for (let i = first; i <= last; i++) {
    const x = place.x + (i / fs - from) * place.speed;
    const y = place.y - samples[i] * place.gain;
    d += `${i === first ? "M" : "L"}${x.toFixed(2)} ${y.toFixed(2)}`;
  }
  return d;
}

export function text(x, y, words, attributes = {}) {
  return element("text", { x, y, ...attributes }, words);
}

// The pulse of 1 mV and 0.2 s in front of a row.
export function pulse(x, y, speed, gain) {
  const wide = 0.2 * speed;
  return element("path", { class: "trace", d: `M${x} ${y}h1v${-gain}h${wide}v${gain}h1` });
}
