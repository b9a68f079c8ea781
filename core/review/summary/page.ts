import { estimateOf, type Estimate } from "../capacity/estimate";
import { readPrices } from "../capacity/priceFile";
import { signals, type Signal } from "../../charts";
import { shortName } from "../../collectors/effective";
import { endsOf } from "../../collectors/flows";
import { kofNamespace } from "../../charts/namespace";
import { evaluatorsText } from "../../routes/alerts";
import type { Deployment } from "../../routes/deployment";
import { withoutControlPlane } from "../../routes/distribution";
import {
    authenticationText,
    deliveriesOf,
    destinationOf,
    leftOutByChoice,
    protocolText,
    queuesText,
} from "../../routes/deliveries";
import type { RequiredSecret } from "../../routes/secrets";
import { contentOf, keptOf, spaceOf, totalGiB, type Volume } from "../../routes/volumes";
import { archiveSection } from "./archives";
import { costTable, spaceText } from "./capacity";
import { centralText } from "./central";
import { fillChart, fillings, fillText } from "./chart";
import { podSection } from "./pods";
import { diagram } from "./diagram";
import { idleText, isIdle } from "./idle";
import { code, fenced, paragraphs, plain, section, table } from "../../lib/markdown";
import { gibText, sizeInGiB } from "../../lib/quantities";

/**
 * What a reviewer should know of a stack, as Markdown: where each signal goes, what is stored here, which credentials
 * there are, and what is worth a second look.
 *
 * @param notices what the program warns of.
 * @param region the provider's region that the cluster is in, where that is known.
 */
export function summaryPage(
    stack: string,
    deployment: Deployment,
    notices: readonly string[],
    region?: string,
): string {
    const { route: name, version, clusterName, rates } = deployment.settings;
    const estimate = estimateOf(deployment, readPrices(), region);
    const parts = [
        `# ${plain(stack)}: route ${name}, KOF ${version}`,
        `Where the telemetry of management cluster ${code(clusterName)} goes, and what is made for it.`,
        section(
            "Notices",
            notices.map((each) => `- ${plain(each)}`),
        ),
        section(
            "Signals",
            paragraphs([
                deployment.targets
                    ? table(
                          ["signal", "destination", "stored in", "address", "sent as", "authentication", "buffer"],
                          deliveryRows(deployment),
                      )
                    : table(["signal", "stored in", "address"], destinationRows(deployment)),
                deployment.targets
                    ? "The buffer is what each exporter of each collector keeps while its destination is away."
                    : "",
            ]),
        ),
        ["```mermaid", diagram(deployment), "```"].join("\n"),
        section(
            "Not stored, by choice",
            leftOutByChoice(deployment).map((line) => `- ${plain(line)}`),
        ),
        section(
            "Collectors",
            paragraphs([
                table(["collector", "mode", ...signals], collectorRows(deployment)) || "None run on this cluster.",
                ...idleText(deployment).map(plain),
                plain(withoutControlPlane(deployment.settings, deployment.collectors) ?? ""),
            ]),
        ),
        podSection(deployment),
        section(
            "Volumes on this cluster",
            table(
                ["component", "holds", "volumes", "size of each", "class", "kept for", "total"],
                volumeRows(deployment),
            ),
        ),
        section(
            "Volumes on each regional cluster",
            table(
                ["component", "holds", "volumes", "size of each", "class", "kept for"],
                deployment.regionalStores.map(storeCells),
            ),
        ),
        section(
            "Space at the rates of kof:rates",
            rates === undefined ? "" : paragraphs([spaceText(deployment, estimate), fillingText(estimate)]),
        ),
        archiveSection(deployment),
        section("Log groups", table(["log group", "region", "kept for", "encrypted with"], logGroupRows(deployment))),
        section("Cost", rates === undefined ? "" : costTable(estimate)),
        section("Alert rules", alertRows(deployment)),
        section("Credentials", table(["Secret", "holds", "made by"], credentialRows(deployment)) || "None."),
        section("Role in another AWS account", centralText(deployment)),
    ];
    return `${paragraphs(parts)}\n`;
}

/** How the volumes fill, as a chart and in words. */
function fillingText(estimate: Estimate): string {
    const found = fillings(estimate);
    return found.length === 0 ? "" : paragraphs([fenced("mermaid", fillChart(found)), fillText(found)]);
}

function destinationRows({ destinations }: Deployment): string[][] {
    return signals.flatMap((signal) => {
        const where = destinations[signal];
        return where.stored
            ? where.ends.map(({ store, address }) => [signal, plain(store), code(address)])
            : [[signal, `**not stored**: ${plain(where.why)}`, ""]];
    });
}

/** A row for each signal and destination, where there are several. */
function deliveryRows(deployment: Deployment): string[][] {
    const deliveries = deliveriesOf(deployment);
    return signals.flatMap((signal) => {
        const where = deployment.destinations[signal];
        if (!where.stored) {
            const why = where.why === "by choice" ? ", by choice" : `: ${plain(where.why)}`;
            return [[signal, "", `**not stored**${why}`, "", "", "", ""]];
        }
        return deliveries
            .filter((each) => each.signal === signal)
            .map((each) => [
                signal,
                code(destinationOf(each)),
                plain(each.end.store),
                code(each.end.address),
                plain(protocolText(each)),
                plain(authenticationText(each)),
                plain(queuesText(each)),
            ]);
    });
}

/** Per collector what it does with each signal. */
function collectorRows(deployment: Deployment): string[][] {
    return deployment.collectors.map((collector) => {
        const ends = endsOf(collector);
        const fate = (signal: Signal) => {
            const found = ends.filter((end) => end.signal === signal);
            const how = (end: (typeof found)[number]) =>
                end.address === undefined && !isIdle(deployment, collector, end) ? `**${end.exporter}**` : end.exporter;
            return [...new Set(found.map(how))].join(", ");
        };
        return [shortName(collector), collector.mode, ...signals.map(fate)];
    });
}

function volumeRows({ volumes, stores }: Deployment): string[][] {
    const rows = stores.map((store) => [
        ...storeCells(store),
        store.keeps === "volumes" ? gibText(store.count * sizeInGiB(store.size)) : "",
    ]);
    const count = volumes.reduce((sum, volume) => sum + volume.count, 0);
    return [...rows, ["**total**", "", String(count), "", "", "", `**${gibText(totalGiB(volumes))}**`]];
}

function storeCells(store: Volume): string[] {
    const { workload, count, size, storageClass, keeps } = store;
    const className = storageClass === "" ? "the cluster's default" : code(storageClass);
    return [
        workload,
        contentOf(store),
        ...(keeps === "volumes" ? [String(count), size, className] : [`**${spaceOf(store)}**`, "", ""]),
        plain(keptOf(store)),
    ];
}

function logGroupRows({ cloudwatch }: Deployment): string[][] {
    const { region = "", kmsKeyArn, logGroups = [], central } = cloudwatch ?? {};
    return [
        ...logGroups.map(({ name, retentionDays }) => [
            code(name),
            region,
            `${String(retentionDays)} days`,
            kmsKeyArn === undefined ? "CloudWatch's own key" : code(kmsKeyArn),
        ]),
        ...(central?.logGroups ?? []).map(({ name, retentionDays }) => [
            code(name),
            region,
            `${String(retentionDays)} days, if account ${central?.account ?? ""} says so`,
            `what account ${central?.account ?? ""} says`,
        ]),
    ];
}

function alertRows({ alerts }: Deployment): string {
    const { rules, none = "" } = alerts;
    const rows = rules.map(({ alert, when, severity }) => [alert, plain(when), severity]);
    return rows.length === 0
        ? `None: ${plain(none)}.`
        : paragraphs([table(["alert", "fires when", "severity"], rows), `Evaluated by ${evaluatorsText(alerts)}.`]);
}

/** Every Secret that is needed, with who makes it. */
function credentialRows(deployment: Deployment): string[][] {
    return deployment.secrets.map((secret) => [
        code(`${kofNamespace}/${secret.name}`),
        secret.keys.map(code).join(", "),
        makerText(deployment, secret),
    ]);
}

function makerText({ cloudwatch, archives }: Deployment, secret: RequiredSecret): string {
    const { name, maker, reader, destinations = [] } = secret;
    const forWhom = destinations.length === 0 ? "" : ` (for ${destinations.map(code).join(", ")})`;
    if (maker === "you") {
        return `someone else: it must exist${forWhom}`;
    }
    if (maker === "kof") {
        return `KOF${reader === "collectors" ? ", once the region is set up: it must exist" : ": a random password"}${forWhom}`;
    }
    const archive = archives.find((each) => reader === "exporters" && each.secret?.name === name);
    const role = cloudwatch?.central ? `assume ${code(cloudwatch.central.roleArn)}` : "write to the log groups";
    const [may, credentials] = archive
        ? [`write to bucket ${code(archive.bucket.name)}`, archive.credentials]
        : [role, reader === "collectors" ? cloudwatch?.credentials : undefined];
    const made =
        credentials?.kind === "accessKey"
            ? `an IAM user that may ${may}, with one key for each of ${credentials.generations.map(code).join(", ")}`
            : "a random password";
    return `this stack: ${made}${forWhom}`;
}
