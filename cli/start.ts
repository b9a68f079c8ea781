import { styleText } from "node:util";

import { signals } from "../core/charts";
import { parseOptions, run } from "./command";
import type { OfflineRun } from "./offline";
import { runOffline } from "./program";
import { readStackFile, stackFileOptions } from "./stackFile";
import { treeLines } from "./tree";

const usage = `Usage: npm start                        preview the stack dev, offline
       npm start -- --stack NAME        preview the stack of Pulumi.NAME.yaml
       npm start -- --config FILE       preview the stack of any stack file

Nothing is required, and nothing is contacted.`;

/** The offline preview as text: what `pulumi preview` would list, and where each signal goes. */
function offlinePreview(run: OfflineRun, stack: string): string {
    const lines = treeLines(run);
    const width = Math.max(...lines.map(({ branches, type }) => branches.length + type.length)) + 2;
    const nameWidth = Math.max(...lines.map(({ name }) => name.length)) + 2;
    const sign = { create: styleText("green", "+"), read: styleText("cyan", ">") };
    const colour = { create: "green", read: "cyan" } as const;
    const count = (operation: "create" | "read") => lines.filter((line) => line.operation === operation).length;
    const destinations = run.outputs.destinations as Record<string, string>;
    const volumes = Object.entries(run.outputs.volumes as Record<string, string>);
    const stored = (text: string) => (text.startsWith("not stored") ? styleText("yellow", text) : text);
    const output = (name: string) => ([run.outputs[name] ?? ""].flat() as string[]).join(", ");
    return [
        `${styleText("magenta", `Preview (${stack})`)} offline: nothing was contacted, so everything counts as new.`,
        "",
        styleText("bold", `     ${"Type".padEnd(width)}${"Name".padEnd(nameWidth)}Plan`),
        ...lines.map(
            ({ operation, branches, type, name }) =>
                ` ${sign[operation]}   ${(branches + type).padEnd(width)}${name.padEnd(nameWidth)}${styleText(colour[operation], operation)}`,
        ),
        "",
        ...run.messages.map((message) => styleText("yellow", message)),
        ...(run.messages.length > 0 ? [""] : []),
        styleText("bold", "Where this cluster's telemetry goes"),
        ...signals.map((signal) => `    ${signal.padEnd(8)} ${stored(destinations[signal] ?? "")}`),
        "",
        styleText("bold", "Volumes on this cluster"),
        ...volumes.map(([workload, text]) => `    ${workload.padEnd(16)} ${text}`),
        "",
        styleText("bold", "Alert rules"),
        ...Object.entries(run.outputs.alerts as Record<string, string>).map(
            ([alert, when]) => `    ${alert.padEnd(20)} ${when}`,
        ),
        "",
        styleText("bold", "Outputs"),
        ...["route", "version", "namespace", "storageClass", "logGroups", "verify"]
            .filter((name) => output(name) !== "")
            .map((name) => `    ${name.padEnd(12)} ${output(name)}`),
        "",
        styleText("bold", "Resources"),
        `    ${styleText("green", `+ ${String(count("create"))} to create`)}`,
        ...(count("read") > 0 ? [`    ${styleText("cyan", `> ${String(count("read"))} to read`)}`] : []),
    ].join("\n");
}

if (require.main === module) {
    run(async () => {
        const stackFile = readStackFile(parseOptions(usage, stackFileOptions));
        console.log(offlinePreview(await runOffline(stackFile, { preview: true }), stackFile.stack));
    });
}
