import { UserError } from "../core/lib/errors";
import { airGap, mirrorScript, type AirGap } from "../core/routes/airGap";
import { parseOptions, run } from "./command";
import { readStackFile, deploymentOfFile, stackFileOptions } from "./stackFile";

const usage = `Usage: npm run images -- [--stack NAME | --config FILE] [--json | --mirror REGISTRY]

Lists the charts and container images that a stack's clusters fetch, and says which are not known.
Nothing is required. Without --stack and --config it is the stack dev.

  --json              one JSON object instead of text
  --mirror REGISTRY   print a shell script that copies all of them into a registry instead`;

function listing({ charts, images, unknown }: AirGap, title: string): string {
    const of = (cluster: "management" | "others") => [
        `  Charts`,
        ...charts
            .filter((chart) => chart.cluster === cluster)
            .map(({ name, version, repository }) => `    ${name} ${version} from ${repository}`),
        `  Images`,
        ...images.filter((image) => image.cluster === cluster).map(({ image }) => `    ${image}`),
    ];
    return [
        `${title}: ${String(charts.length)} charts, ${String(images.length)} images`,
        "",
        "Management cluster",
        ...of("management"),
        "",
        "Child and regional clusters, in addition to those",
        ...of("others"),
        "",
        "Not in the list",
        ...unknown.map((each) => `  ${each}`),
    ].join("\n");
}

run(() => {
    const { json, mirror, ...choice } = parseOptions(usage, {
        ...stackFileOptions,
        json: { type: "boolean" },
        mirror: { type: "string" },
    });
    if (json === true && mirror !== undefined) {
        throw new UserError(`Give --json or --mirror, not both.\n\n${usage}`);
    }
    if (mirror !== undefined && !/^[\w.-]+(:\d+)?(\/[\w./-]*\w)?$/.test(mirror)) {
        throw new UserError(`--mirror ${mirror} is not a registry. Allowed: HOST[:PORT][/PATH], without https://.`);
    }
    const deployment = deploymentOfFile(readStackFile(choice));
    const { version, route: name } = deployment.settings;
    const needed = airGap(deployment);
    if (json === true) {
        console.log(JSON.stringify({ version, route: name, ...needed }, undefined, 2));
    } else if (mirror !== undefined) {
        console.log(mirrorScript(needed, mirror, `Charts and images of KOF ${version}, route ${name}.`).trimEnd());
    } else {
        console.log(listing(needed, `KOF ${version}, route ${name}`));
    }
});
