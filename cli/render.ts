import "./unused";
import * as path from "node:path";

import { collectorsOfCharts } from "./charts/collectors";
import { compareCollectors } from "./charts/compare";
import { UserError } from "../core/lib/errors";
import { parseOptions, run } from "./command";
import { writeFolder } from "./folder";
import { validateCollectors } from "./otelcol";
import { renderAll } from "./rendered";
import { fromCatalog, isRenderedFile, renderStack } from "./renderStack";
import { readStackFile, stackFileOptions, type StackFile } from "./stackFile";

const usage = `Usage: npm run render -- [--stack NAME | --config FILE] --out DIR
       npm run render -- --all            render every stack file here and in examples/ into rendered/
       npm run render -- --all --check    say which of rendered/ is stale, and fail if any is

Writes what a stack would deploy: summary.md, kof-values.yaml, kubernetes.yaml, aws.yaml and collectors/.
Required: --out, except with --all, where it is rendered/, and --compare. Without --stack and --config it is the stack dev.

Options:
  --chart DIR       work the collectors out from the real charts, with Helm (the one in HELM, else \`helm\`), and say where
                    the catalog disagrees. DIR holds the charts kof, kof-child, kof-regional and kof-collectors as
                    'helm pull --untar' leaves them; or it is an umbrella chart that Helm can pull: oci://…/kof
  --compare         with --chart: write nothing, and fail if the catalog disagrees
  --otelcol PATH    have this OpenTelemetry Collector validate every configuration, and fail if it refuses one`;

const options = {
    ...stackFileOptions,
    out: { type: "string" },
    all: { type: "boolean" },
    check: { type: "boolean" },
    chart: { type: "string" },
    compare: { type: "boolean" },
    otelcol: { type: "string" },
} as const;

type Options = ReturnType<typeof parseOptions<typeof options>>;

if (require.main === module) {
    run(async () => {
        const given = parseOptions(usage, options);
        const { stack, config, out, all = false, check = false, chart, compare = false, otelcol } = given;
        const wrong = [
            [all && (stack ?? config ?? chart) !== undefined, "--all takes no --stack, --config or --chart."],
            [check && !all, "--check goes with --all."],
            [compare && chart === undefined, "--compare needs --chart."],
            [!all && !compare && out === undefined, "--out is missing."],
        ].find(([is]) => is);
        if (wrong) {
            throw new UserError(`${String(wrong[1])}\n\n${usage}`);
        }
        if (all) {
            console.log(await renderAll(out ?? "rendered", { check, otelcol }));
            return;
        }
        await renderOne(readStackFile({ stack, config }), given);
    });
}

async function renderOne(stackFile: StackFile, { out, chart, compare, otelcol }: Options): Promise<void> {
    const lines: string[] = [];
    const faults: string[] = [];
    const files = await renderStack(stackFile, async (deployment) => {
        const source = fromCatalog(deployment);
        if (chart === undefined) {
            return source;
        }
        const collectors = await collectorsOfCharts(deployment, chart);
        const from = `the charts of KOF ${deployment.settings.version}, with Helm`;
        const differences = compareCollectors(source.collectors, collectors);
        lines.push(`${String(collectors.length)} collectors from ${from}`);
        (compare ? faults : lines).push(...differences);
        lines.push(differences.length === 0 ? "The catalog agrees with them." : "The catalog disagrees with them.");
        return { collectors, from };
    });
    if (out !== undefined && !compare) {
        writeFolder(out, files, isRenderedFile);
        lines.unshift(...Object.keys(files).map((name) => path.join(out, name)));
    }
    if (otelcol !== undefined) {
        const results = validateCollectors(otelcol, files);
        lines.push(...results.accepted);
        faults.push(...results.refused);
    }
    console.log(lines.join("\n"));
    if (faults.length > 0) {
        throw new UserError(faults.join("\n"));
    }
}
