// What the server sends of a recording, decoded: samples in mV, times in s.
const UV = 1e-3; // mV

function samples(text, leads) {
  const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  const view = new DataView(bytes.buffer);
  const n = bytes.length / 2 / leads;
  return Array.from({ length: leads }, (_, lead) =>
    Float32Array.from({ length: n }, (__, i) => view.getInt16(2 * (lead * n + i), true) * UV),
  );
}

export function decode(data) {
  const n = data.leads.length;
  const beat = data.beat && {
    ...data.beat,
    signal: samples(data.beat.signal, n),
    recorder: data.beat.recorder && samples(data.beat.recorder, n),
  };
  return { ...data, signal: samples(data.signal, n), beat };
}

// Strength with which a network looked at a lead at a time of the recording, 0 to 1; null: not seen.
export function looked(record, lead, t) {
  const seen = record.profiles;
  if (!seen) return null;
  const at = seen.beat ? sinceBeat(record, t) : t;
  let most = null;
  for (const cell of seen.cells) {
    if (cell.lead !== lead || at === null || at < cell.start_s || at >= cell.stop_s) continue;
    const step = Math.floor(((at - cell.start_s) / (cell.stop_s - cell.start_s)) * cell.levels.length);
    most = Math.max(most ?? 0, cell.levels[step]);
  }
  return most;
}

function sinceBeat(record, t) {
  record.centres ??= centres(record.marks);
  let nearest = null;
  for (const centre of record.centres) {
    if (nearest === null || Math.abs(t - centre) < Math.abs(nearest)) nearest = t - centre;
  }
  return nearest;
}

function centres(marks) {
  const found = [];
  let on = null;
  for (const mark of marks) {
    if (mark.kind === "qrs_on") on = mark.t;
    if (mark.kind === "qrs_off" && on !== null) {
      found.push((on + mark.t) / 2);
      on = null;
    }
  }
  return found;
}
