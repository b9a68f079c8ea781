import "./unused";
import * as path from "node:path";

import { collectorsOfCharts, findCharts } from "./charts/collectors";
import { compareCollectors } from "./charts/compare";
import { UserError } from "../core/lib/errors";
import type { Deployment } from "../core/routes/deployment";
import { parseOptions, run } from "./command";
import { writeFolder } from "./folder";
import { validateCollectors } from "./otelcol";
import { renderAll } from "./rendered";
import { fromCatalog, isRenderedFile, renderStack, type CollectorSource } from "./renderStack";
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

if (require.main === module) {
    run(async () => {
        const options = parseOptions(usage, {
            ...stackFileOptions,
            out: { type: "string" },
            all: { type: "boolean" },
            check: { type: "boolean" },
            chart: { type: "string" },
            compare: { type: "boolean" },
            otelcol: { type: "string" },
        });
        const { out, all = false, check = false, chart, compare = false, ...choice } = options;
        const wrong = [
            [
                all && (choice.stack ?? choice.config ?? chart) !== undefined,
                "--all takes no --stack, --config or --chart.",
            ],
            [check && !all, "--check goes with --all."],
            [compare && chart === undefined, "--compare needs --chart."],
            [!all && !compare && out === undefined, "--out is missing."],
        ].find(([is]) => is);
        if (wrong) {
            throw new UserError(`${String(wrong[1])}\n\n${usage}`);
        }
        if (all) {
            console.log(await renderAll(out ?? "rendered", { check, otelcol: choice.otelcol }));
            return;
        }
        await renderOne(readStackFile(choice), {
            out: compare ? undefined : out,
            chart,
            compare,
            otelcol: choice.otelcol,
        });
    });
}

interface OneOptions {
    readonly out: string | undefined;
    readonly chart: string | undefined;
    readonly compare: boolean;
    readonly otelcol: string | undefined;
}

async function renderOne(stackFile: StackFile, { out, chart, compare, otelcol }: OneOptions): Promise<void> {
    const lines: string[] = [];
    const faults: string[] = [];
    const files = await renderStack(stackFile, async (deployment) => {
        const source = fromCatalog(deployment);
        const real = chart === undefined ? undefined : await fromCharts(deployment, chart);
        if (real) {
            const differences = compareCollectors(source.collectors, real.collectors);
            lines.push(`${String(real.collectors.length)} collectors from ${real.from}`);
            (compare ? faults : lines).push(...differences);
            lines.push(differences.length === 0 ? "The catalog agrees with them." : "The catalog disagrees with them.");
        }
        return real ?? source;
    });
    if (out !== undefined) {
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

async function fromCharts(deployment: Deployment, chart: string): Promise<CollectorSource> {
    const charts = await findCharts(chart, deployment.settings.version);
    try {
        return {
            collectors: await collectorsOfCharts(deployment, charts.folder),
            from: `the charts of KOF ${deployment.settings.version}, with Helm`,
        };
    } finally {
        charts.dispose();
    }
}
