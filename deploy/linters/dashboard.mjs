// Check a Grafana dashboard against the types of Grafana's package @grafana/schema: node dashboard.mjs FOLDER DASHBOARD.json
// FOLDER has the packages of package.json. Grafana has no JSON schema of a dashboard, so the compiler of TypeScript checks the
// file as a constant. Types of enumerations are compared by their values, and what Grafana sets itself may be missing.
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const [folder, file] = process.argv.slice(2);
const dashboard = JSON.parse(readFileSync(file, "utf8"));
const raw = "@grafana/schema/dist/esm/raw";
const modules = { bargauge: "BarGauge", stat: "Stat", table: "Table", timeseries: "TimeSeries" };
const lines = [
  `import type { Dashboard } from "${raw}/dashboard/x/Dashboard_types.gen";`,
  ...Object.entries(modules).map(
    ([kind, name]) => `import type * as ${kind} from "${raw}/composable/${kind}/panelcfg/x/${name}PanelCfg_types.gen";`,
  ),
  "type Plain<T> = T extends string ? `${T}` : T extends object ? { [K in keyof T]?: Plain<T[K]> } : T;",
  `export const dashboard: Plain<Dashboard> = ${JSON.stringify(dashboard, null, 1)};`,
  ...dashboard.panels
    .filter((panel) => panel.type !== "row")
    .map((panel) => `export const panel${panel.id}: Plain<${panel.type}.Options> = ${JSON.stringify(panel.options, null, 1)};`),
];
const source = join(folder, "dashboard.ts");
writeFileSync(source, `${lines.join("\n")}\n`);
const options = ["--strict", "--noEmit", "--skipLibCheck", "--module", "esnext", "--moduleResolution", "bundler"];
const compiler = join(folder, "node_modules", "typescript", "bin", "tsc");
const ended = spawnSync(process.execPath, [compiler, ...options, source], { encoding: "utf8" });
process.stdout.write(ended.stdout ?? String(ended.error));
process.exit(ended.status ?? 1);
