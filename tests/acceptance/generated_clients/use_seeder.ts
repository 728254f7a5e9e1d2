/**
 * Use a generated client: two pages of jobs, a refresh, its state, and a problem.
 *
 * `node use_seeder.js ADDRESS TOKEN` prints what it received as JSON.
 */

import createClient from "openapi-fetch";
import type { components, paths } from "./seeder.js";

type Job = components["schemas"]["Job"];

const [address, token] = process.argv.slice(2);
const client = createClient<paths>({ baseUrl: address, headers: { Authorization: `Token ${token}` } });

async function page(cursor?: string) {
  const { data, error } = await client.GET("/api/seeder/v1/jobs/", {
    params: { query: { ordering: "tableName", status: ["error", "success"], pageSize: 2, cursor } },
  });
  if (!data) throw new Error(error?.detail);
  return data;
}

const first = await page();
if (first.next === null) throw new Error("There is only one page.");
const second = await page(new URL(first.next).searchParams.get("cursor") ?? undefined);
const jobs: Job[] = [...first.results, ...second.results];
const { reportType, id } = jobs[0];

const queued = await client.POST("/api/seeder/v1/jobs/{reportType}/{id}/refresh/", {
  params: { path: { reportType, id }, header: { "Idempotency-Key": "client-1" } },
});
if (!queued.data?.requestId) throw new Error(queued.error?.detail);
const request = await client.GET("/api/seeder/v1/queue/{requestId}/", {
  params: { path: { requestId: queued.data.requestId } },
});
if (!request.data) throw new Error(request.error?.detail);

const missing = await client.GET("/api/seeder/v1/jobs/{reportType}/{id}/", {
  params: { path: { reportType: "custom", id: 999 } },
});

console.log(
  JSON.stringify({
    total: first.count,
    jobs: jobs.map((job) => job.tableName),
    started: jobs.map((job) => job.startTime !== null),
    status: request.data.status,
    agencies: request.data.parts[0].agencies,
    problem: [missing.response.status, missing.error?.code],
  }),
);
