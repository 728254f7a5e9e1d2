/**
 * Use a generated client: pages of loads, rejects, an upload, its request, and a problem.
 *
 * `node use_pipeline.js ADDRESS TOKEN` prints what it received as JSON.
 */

import createClient from "openapi-fetch";
import type { components, paths } from "./pipeline.js";

type Queued = components["schemas"]["QueuedRequest"];

const [address, token] = process.argv.slice(2);
const client = createClient<paths>({ baseUrl: address, headers: { Authorization: `Token ${token}` } });

async function page(cursor?: string) {
  const { data, error } = await client.GET("/api/pipeline/v1/loads/", {
    params: { query: { status: ["success", "failed"], pageSize: 3, cursor } },
  });
  if (!data) throw new Error(error?.detail);
  return data;
}

const first = await page();
if (first.next === null) throw new Error("There is only one page.");
const second = await page(new URL(first.next).searchParams.get("cursor") ?? undefined);
const loads = [...first.results, ...second.results];
const damaged = loads.find((load) => load.rowsRejected);
if (!damaged) throw new Error("No load has rejects.");
const rejects = await client.GET("/api/pipeline/v1/loads/{id}/rejects/", { params: { path: { id: damaged.loadId } } });
if (!rejects.data || typeof rejects.data === "string") throw new Error(rejects.error?.detail);

const content = "id,amount\n7,1\n";
const form = await client.POST("/api/pipeline/v1/ingest/", {
  body: { file: content, table: "landing.fees" },
  bodySerializer: (fields) => {
    const data = new FormData();
    data.append("file", new Blob([content]), "fees.csv");
    data.append("table", (fields as { table: string }).table);
    return data;
  },
});
const body = await client.POST("/api/pipeline/v1/ingest/", {
  params: { query: { table: "landing.fees" }, header: { "Idempotency-Key": "once" } },
  body: content,
  bodySerializer: (text) => text,
  headers: { "Content-Type": "application/octet-stream" },
});
const records = await client.POST("/api/pipeline/v1/ingest/records/", {
  params: { query: { table: "landing.fees" } },
  body: [{ id: 8, amount: 2 }],
});

async function requested(queued: Queued | undefined) {
  if (!queued) throw new Error("Nothing was queued.");
  const { data, error } = await client.GET("/api/pipeline/v1/requests/{id}/", {
    params: { path: { id: queued.requestId } },
  });
  if (data?.status !== "queued") throw new Error(error?.detail);
  return [data.action, data.label];
}

const missing = await client.POST("/api/pipeline/v1/loads/{id}/undo/", { params: { path: { id: 999 } } });

console.log(
  JSON.stringify({
    loads: loads.map((load) => [load.table, load.status]),
    rejects: rejects.data.results.map((reject) => [reject.recordNo, reject.problems[0].sqlstate]),
    requests: [await requested(form.data), await requested(body.data), await requested(records.data)],
    problem: [missing.response.status, missing.error?.code],
  }),
);
