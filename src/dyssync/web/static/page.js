// The form, sent without leaving the page: the chosen file and the facts stay where they are.
import { showTracing } from "./tracing.js";

const form = document.getElementById("upload");
const state = document.getElementById("state");
const file = document.getElementById("file");
const drop = document.getElementById("drop");
let sent = null; // what the answer on the page is to; the form may hold something else by now

async function send(event) {
  event.preventDefault();
  const body = new FormData(form);
  const token = body.get("token");
  body.delete("token");
  for (const [name, value] of [...body]) if (value === "") body.delete(name);
  const headers = token ? { Authorization: `Bearer ${token}` } : {};
  const button = form.querySelector("button.main");
  button.disabled = true;
  state.textContent = "Reading, measuring, predicting …";
  try {
    const answer = await post(form.action, { body, headers });
    sent = { body, headers };
    show(answer.page);
    state.textContent = answer.ok ? "The answer is below." : "Not accepted; the reason is below.";
  } catch {
    state.textContent = "No answer from the server; is it still running?";
  } finally {
    button.disabled = false;
  }
}

async function post(address, { body, headers }) {
  const answer = await fetch(address, { method: "POST", body, headers, cache: "no-store" });
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  return { ok: answer.ok, page };
}

// All other models, asked when their fold is first opened: most readers need the one answer alone.
async function fillOthers(fold) {
  if (!fold.open || !("unasked" in fold.dataset) || !sent) return;
  const told = document.getElementById("others-state");
  delete fold.dataset.unasked; // not asked twice by who closes and opens it meanwhile
  told.textContent = "Asking all models; the ECG is sent once more, for nothing of it was kept …";
  let answer = { ok: false };
  try {
    answer = await post("./?models=all", sent);
  } catch {
    // the line below says so
  }
  const found = answer.ok ? answer.page.getElementById("others") : null;
  if (found) {
    fold.replaceChildren(...[...found.childNodes].map((node) => document.importNode(node, true)));
    fold.querySelector("summary").focus({ preventScroll: true });
  } else {
    fold.dataset.unasked = "";
    told.textContent = "The server did not answer; close this and open it again, or read the ECG again.";
  }
}

function show(page) {
  const found = page.getElementById("answer");
  const here = document.getElementById("answer");
  here.replaceChildren(...[...found.childNodes].map((node) => document.importNode(node, true)));
  begin();
  here.focus({ preventScroll: true });
  here.scrollIntoView({ block: "start" });
}

// Draw what the answer holds.
function begin() {
  const data = document.getElementById("tracing-data");
  const place = document.getElementById("tracing");
  if (data && place) showTracing(place, JSON.parse(data.textContent));
  const picture = document.getElementById("picture");
  if (picture) showPicture(picture);
  const fold = document.getElementById("others");
  if (fold) fold.addEventListener("toggle", () => fillOthers(fold));
}

// The picture never comes back from the server: it is drawn from the file that was chosen.
async function showPicture(place) {
  const traces = document.getElementById("traces");
  if (traces) showTraces(traces, place);
  try {
    const bitmap = await createImageBitmap(file.files[0]);
    place.prepend(upright(bitmap, Number(place.dataset.quarters)));
  } catch {
    document.getElementById("picture-note").textContent = traces
      ? "The browser cannot draw this kind of file; the traces alone are shown, as they were read off it."
      : "The browser cannot draw this kind of file.";
  }
}

// A picture turned by quarters against the clock, as it was turned to be read.
function upright(bitmap, quarters) {
  const canvas = document.createElement("canvas");
  const lying = quarters % 2 === 1;
  canvas.width = lying ? bitmap.height : bitmap.width;
  canvas.height = lying ? bitmap.width : bitmap.height;
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", "The page as it was sent");
  const pen = canvas.getContext("2d");
  pen.translate(canvas.width / 2, canvas.height / 2);
  pen.rotate((-quarters * Math.PI) / 2);
  pen.drawImage(bitmap, -bitmap.width / 2, -bitmap.height / 2);
  return canvas;
}

// Lets the traces that were read be taken off the picture.
function showTraces(button, place) {
  button.hidden = false;
  button.addEventListener("click", () => {
    const bare = place.classList.toggle("bare");
    button.setAttribute("aria-pressed", String(!bare));
  });
}

function over(event) {
  event.preventDefault();
  drop.classList.toggle("over", event.type === "dragover");
}

form.addEventListener("submit", send);
drop.addEventListener("dragover", over);
drop.addEventListener("dragleave", over);
drop.addEventListener("drop", (event) => {
  over(event);
  if (event.dataTransfer.files.length) {
    file.files = event.dataTransfer.files;
    form.requestSubmit();
  }
});
begin();
