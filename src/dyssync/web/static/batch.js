// Several recordings, asked for one after another; the table never leaves the browser.
const AT_ONCE = 2;
const TRIES = 4; // where the server is busy
const WAIT_MS = 2000;
const COLUMNS = ["file", "answer", "level", "of_100", "low", "high", "base_of_100", "model", "goes_by", "cautions", "problem"];

const form = document.getElementById("several");
const state = document.getElementById("state");
const table = document.getElementById("answers");
const stop = document.getElementById("stop");
const save = document.getElementById("save");
let rows = [];
let stopped = false;

// Recordings as lists of files: header and samples of one name in one folder belong together.
function recordings(files) {
  const key = (file) => (file.webkitRelativePath || file.name).replace(/\.[^./]*$/, "");
  const headers = new Set(files.filter((file) => /\.hea$/i.test(file.name)).map(key));
  const together = new Map();
  for (const file of files.filter((one) => !one.name.startsWith("."))) {
    const name = headers.has(key(file)) ? key(file) : file.webkitRelativePath || file.name;
    together.set(name, [...(together.get(name) ?? []), file]);
  }
  return [...together].map(([name, parts], place) => ({ name, parts, place }));
}

async function ask(recording, token) {
  const body = new FormData();
  for (const part of recording.parts) body.append("file", part, part.name);
  const headers = token ? { Authorization: `Bearer ${token}` } : {};
  for (let attempt = 1; ; attempt++) {
    const answer = await fetch("predict", { method: "POST", body, headers, cache: "no-store" });
    if (answer.status === 503 && attempt < TRIES) {
      await new Promise((resolve) => setTimeout(resolve, attempt * WAIT_MS));
      continue;
    }
    const found = await answer.json();
    return answer.ok ? { found } : { problem: found.detail };
  }
}

function row({ name, place }, { found, problem }, health) {
  const made = { file: name, place, level: health.level, problem: problem ?? "" };
  const model = found?.answer;
  if (!model) return { ...made, problem: problem ?? "no model that learns could be asked" };
  const said = found.models[model];
  const of100 = (p) => (p === null ? "" : Math.round(100 * p));
  const silent = said.basis === "base rate";
  const ranged = said.venn_abers_low !== null;
  const every = Object.entries(found.models).map(([one, its]) => [`p_${one}`, its.probability.toFixed(4)]);
  return {
    ...made,
    answer: silent ? "defer" : said[`set_${health.level}`],
    of_100: silent ? "" : of100(said.probability),
    low: ranged ? of100(Math.min(said.venn_abers_low, said.probability)) : "",
    high: ranged ? of100(Math.max(said.venn_abers_high, said.probability)) : "",
    base_of_100: of100(found.base_rate),
    model,
    goes_by: said.basis,
    cautions: found.cautions.join("; "),
    ...Object.fromEntries(every),
  };
}

// Rows stand in the order of the files, in whichever order they are answered.
function show(made) {
  const body = table.tBodies[0];
  const line = document.createElement("tr");
  line.dataset.place = made.place;
  body.insertBefore(line, [...body.rows].find((one) => Number(one.dataset.place) > made.place) ?? null);
  const head = document.createElement("th");
  head.scope = "row";
  head.textContent = made.file;
  line.append(head);
  if (made.problem) {
    const cell = line.insertCell();
    cell.colSpan = 6;
    cell.textContent = `not accepted: ${made.problem}`;
    return;
  }
  const range = made.low === "" ? "-" : `${made.low} to ${made.high}`;
  for (const words of [made.answer, made.of_100, range, made.model, made.goes_by, made.cautions]) {
    line.insertCell().textContent = words;
  }
}

async function start(event) {
  event.preventDefault();
  const files = [...document.getElementById("files").files, ...document.getElementById("folder").files];
  const left = recordings(files);
  if (!left.length) {
    state.textContent = "Choose files or a folder first.";
    return;
  }
  const all = left.length;
  const token = document.getElementById("token")?.value;
  [rows, stopped] = [[], false];
  table.tBodies[0].replaceChildren();
  table.hidden = stop.hidden = false;
  save.hidden = true;
  form.querySelector("button.main").disabled = true;
  try {
    const health = await (await fetch("healthz", { cache: "no-store" })).json();
    await Promise.all(Array.from({ length: AT_ONCE }, () => work(left, all, health, token)));
    state.textContent = `${rows.length} of ${all} answered${stopped ? ", then stopped" : ""}.`;
  } catch {
    state.textContent = `${rows.length} of ${all} answered, then the server did not; is it still running?`;
  }
  form.querySelector("button.main").disabled = false;
  stop.hidden = true;
  save.hidden = rows.length === 0;
}

async function work(left, all, health, token) {
  while (left.length && !stopped) {
    const recording = left.shift();
    const made = row(recording, await ask(recording, token), health);
    rows.push(made);
    show(made);
    state.textContent = `${rows.length} of ${all}`;
  }
}

// A spreadsheet must not take a file's name for a formula.
function cell(value) {
  const words = String(value ?? "");
  const safe = /^[=+@\t\r-]/.test(words) ? `'${words}` : words;
  return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

function download() {
  const models = [...new Set(rows.flatMap((one) => Object.keys(one).filter((key) => key.startsWith("p_"))))];
  const heads = [...COLUMNS, ...models];
  const ordered = [...rows].sort((one, other) => one.place - other.place);
  const lines = [heads, ...ordered.map((one) => heads.map((head) => one[head]))];
  const text = `${lines.map((line) => line.map(cell).join(",")).join("\r\n")}\r\n`;
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
  link.download = "dyssync-research-use-only.csv";
  link.click();
  URL.revokeObjectURL(link.href);
}

form.addEventListener("submit", start);
stop.addEventListener("click", () => {
  stopped = true;
});
save.addEventListener("click", download);
const drop = document.getElementById("drop");
drop.addEventListener("dragover", (event) => event.preventDefault());
drop.addEventListener("drop", (event) => {
  event.preventDefault();
  document.getElementById("files").files = event.dataTransfer.files;
});
