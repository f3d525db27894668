// The form, sent without leaving the page: the chosen file and the facts stay where they are.
import { showTracing } from "./tracing.js";

const form = document.getElementById("upload");
const state = document.getElementById("state");
const file = document.getElementById("file");
const drop = document.getElementById("drop");

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
    const answer = await fetch(form.action, { method: "POST", body, headers, cache: "no-store" });
    show(new DOMParser().parseFromString(await answer.text(), "text/html"));
    state.textContent = answer.ok ? "The answer is below." : "Not accepted; the reason is below.";
  } catch {
    state.textContent = "No answer from the server; is it still running?";
  } finally {
    button.disabled = false;
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
