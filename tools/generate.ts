import * as fs from "node:fs";

import { Region } from "@pulumi/aws/types/enums";
import { format, resolveConfig } from "prettier";

import { UserError } from "../core/lib/errors";
import { generatedBy, projectConfig, settingsPage, stackFileSchema } from "./describe";
import { writeYaml } from "../core/lib/yaml/write";
import { parseOptions, run } from "../cli/command";

const usage = `Usage: npm run generate              write what is generated from core/settings/settings.ts and the AWS SDK of Pulumi
       npm run generate -- --check   say which of it is stale, and fail if any is

Nothing is required.`;

/** The files that are generated from the settings, and what has to be in them. */
export async function generatedFiles(): Promise<Record<string, string>> {
    const project = {
        name: "kof",
        description: "k0rdent KOF on a management cluster, its telemetry stored where one setting says.",
        // Pulumi's own TypeScript support would compile what only needs its types taken out.
        runtime: {
            name: "nodejs",
            options: {
                packagemanager: "npm",
                typescript: false,
                nodeargs: "--no-opt --no-maglev -r ./cli/register.js -r ./cli/unused.js -r ./cli/modules.js",
            },
        },
        config: projectConfig(),
    };
    const files = {
        "Pulumi.yaml": `# ${generatedBy}\n# Set values in Pulumi.STACK.yaml, not here.\n${writeYaml(project)}`,
        "stacks/stack-file.schema.json": JSON.stringify(stackFileSchema()),
        // Read from the SDK itself, the list would load most of it.
        "core/settings/regions.json": JSON.stringify(Object.values(Region)),
        "docs/settings.md": settingsPage(),
    };
    const formatted = Object.entries(files).map(async ([file, text]) => {
        const options = await resolveConfig(file);
        return [file, await format(text, { ...options, filepath: file })] as const;
    });
    return Object.fromEntries(await Promise.all(formatted));
}

async function generate(): Promise<void> {
    const { check } = parseOptions(usage, { check: { type: "boolean" } });
    const files = Object.entries(await generatedFiles());
    const stale = files.filter(([file, text]) => !fs.existsSync(file) || fs.readFileSync(file, "utf8") !== text);
    if (check === true && stale.length > 0) {
        throw new UserError(
            `Stale: ${stale.map(([file]) => file).join(", ")}. Run "npm run generate" and commit the result.`,
        );
    }
    for (const [file, text] of check === true ? [] : stale) {
        fs.writeFileSync(file, text);
        console.log(`Wrote ${file}`);
    }
}

if (require.main === module) {
    run(generate);
}
