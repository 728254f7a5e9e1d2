// A front end of the API: uploads a file, corrects rejected rows, and shows statistics with their age.
const API = "/api/pipeline/v1/";
const element = (id) => document.getElementById(id);
const pause = (seconds) => new Promise((resolve) => setTimeout(resolve, 1000 * seconds));

async function call(path, options = {}) {
  const token = document.cookie.match(/csrftoken=([^;]+)/)?.[1] ?? "";
  const headers = { "X-CSRFToken": token, ...options.headers };
  const response = await fetch(new URL(path, location.origin + API), { ...options, headers });
  if (response.ok) return response;
  const problem = await response.json();
  throw new Error(`${problem.code}: ${problem.detail} (${problem.requestId})`);
}

const read = async (path) => (await call(path)).json();

// Follow the Location of a 202 until the request has ended.
async function wait(accepted) {
  for (;;) {
    const request = await read(accepted.headers.get("Location"));
    element("progress").textContent = `${request.action}: ${request.status}`;
    if (request.status === "failed") throw new Error(`${request.errorCode}: ${request.errorMessage}`);
    if (request.status === "done") return request;
    await pause(0.1 * Number(accepted.headers.get("Retry-After")));
  }
}

function row(table, ...cells) {
  const line = table.insertRow();
  for (const cell of cells) line.insertCell().append(cell);
}

async function showStatistics() {
  const { asOf, results } = await read("stats/roi/");
  element("units").replaceChildren();
  for (const { sku, units } of results) row(element("units"), sku, units);
  element("as-of").dateTime = element("as-of").textContent = asOf.refreshedAt;
  element("newest-load").textContent = asOf.tables[0]?.loadId ?? "none";
  return asOf;
}

// The view is refreshed after the load, so its statistics follow a moment later.
async function waitForLoad(loadId) {
  while (((await showStatistics()).tables[0]?.loadId ?? 0) < loadId) await pause(0.2);
}

async function showRejects(loadId) {
  const { results } = await read(`loads/${loadId}/rejects/?status=open`);
  element("rejects").replaceChildren();
  for (const { recordNo, lineNo, problems, values } of results) {
    const [{ column, reason }] = problems;
    const input = document.createElement("input");
    input.ariaLabel = `${column} in line ${lineNo}`;
    input.value = values[column];
    const button = document.createElement("button");
    button.textContent = "Replay";
    button.onclick = () => run(() => replay(loadId, recordNo, { [column]: input.value }));
    row(element("rejects"), lineNo, `${column}: ${reason}`, input, button);
  }
}

async function upload() {
  const headers = { "Idempotency-Key": crypto.randomUUID() };
  const options = { method: "POST", headers, body: new FormData(element("upload")) };
  const { loadId } = await wait(await call("upload/?table=landing.returns&max_rejects=10", options));
  await showRejects(loadId);
  await waitForLoad(loadId);
}

async function replay(loadId, recordNo, values) {
  const headers = { "Content-Type": "application/json" };
  const body = JSON.stringify({ corrections: [{ recordNo, values }] });
  const request = await wait(await call(`loads/${loadId}/replay/`, { method: "POST", headers, body }));
  await showRejects(loadId);
  await waitForLoad(request.loadId);
}

// One action after another, so that the result of the last one stays.
let running = Promise.resolve();

function run(action) {
  running = running.then(async () => {
    try {
      await action();
      element("progress").textContent = "Up to date";
    } catch (error) {
      element("progress").textContent = error.message;
    }
  });
}

element("upload").onsubmit = (event) => {
  event.preventDefault();
  run(upload);
};
run(showStatistics);
