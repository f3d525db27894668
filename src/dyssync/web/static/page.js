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
  try {
    const bitmap = await createImageBitmap(file.files[0]);
    const canvas = document.createElement("canvas");
    canvas.width = bitmap.width;
    canvas.height = bitmap.height;
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", "The page as it was sent");
    canvas.getContext("2d").drawImage(bitmap, 0, 0);
    place.replaceChildren(canvas);
  } catch {
    place.firstElementChild.textContent = "The browser cannot draw this kind of file.";
  }
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
